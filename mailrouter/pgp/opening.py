"""What came in: found by `pgpmime`, given to gpg, judged by `status`, returned as one `Opened`. Fails closed.

Every way out is a verdict that was proved or a `TryLater`; there is no third. A plaintext is kept only when gpg said
that it was decrypted whole and unaltered (testbook/pgp.md, condition 8).
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256

from mailrouter.mail import pgpmime
from mailrouter.mail.pgpmime import Opened, Sealed, Shape, Verdict
from mailrouter.pgp import keyring, nesting, packets, status
from mailrouter.pgp.asking import Asker, lines_of, silent
from mailrouter.pgp.keyring import PublicKey
from mailrouter.pgp.status import Judged

CLOCKS_DIFFER = timedelta(minutes=10)  # testbook/pgp.md, condition 4
STALE_AFTER = timedelta(days=30)

Find = Callable[[str], Sequence[PublicKey]]
Answer = tuple[Judged, bytes | None]  # a verdict, and the text when there is one that may be read


@dataclass(frozen=True, slots=True)
class Opener(Asker):
    """Opens mails with what one `Pgp` holds."""

    def open(self, seal: Sealed, known: Sequence[PublicKey], find: Find, now: datetime) -> Opened:
        """Decrypt and verify what one mail holds; see `Pgp.open`."""
        return _Opening(self, tuple(known), find, now).of(seal)


@dataclass(slots=True)
class _Opening:
    """One mail being opened: its `keys` grow once, by the keys `find` knows for the issuer."""

    opener: Opener
    keys: tuple[PublicKey, ...]
    find: Find
    now: datetime
    asked: bool = False  # gpg, about a signature or a message

    def of(self, seal: Sealed) -> Opened:
        """Open by shape."""
        by_shape = {
            Shape.SIGNED: self._signed,
            Shape.CLEARTEXT: self._cleartext,
            Shape.ENCRYPTED: self._message,
            Shape.MESSAGE: self._message,
            Shape.INVALID: self._invalid,
        }
        return by_shape[seal.shape](seal)

    # ---- by shape ----------------------------------------------------------------------------------------------

    def _invalid(self, seal: Sealed) -> Opened:
        refused = self._concluded(seal, Judged(Verdict.BAD, seal.reason), "none")
        return replace(refused, encrypted=seal.encrypted, decrypted="fail" if seal.encrypted else "none")

    def _signed(self, seal: Sealed) -> Opened:
        judged, signature = _signature_in(seal.signature)
        data = seal.data
        if judged is None:
            judged, data = self._fitting(signature, (seal.data, *seal.otherwise))
        concluded = self._concluded(seal, judged, "mime")
        digest = _digest(judged, data)
        opened = replace(concluded, signed_bytes=data, signed_digest=digest, signature=_readable(seal.signature))
        if judged.verdict is not Verdict.GOOD or not seal.whole:
            return opened
        return _protected(replace(opened, content=seal.data, content_is_entity=True), seal.data)

    def _fitting(self, signature: bytes, forms: Sequence[bytes]) -> tuple[Judged, bytes]:
        """gpg's word on the first of these forms that it is not a bad signature of; else on the first of all."""
        judged = [self._ask(partial(self._check, signature, forms[0]))[0]]
        while judged[-1].verdict is Verdict.BAD and len(judged) < len(forms):
            judged.append(self._ask(partial(self._check, signature, forms[len(judged)]))[0])
        at = len(judged) - 1 if judged[-1].verdict is not Verdict.BAD else 0
        return judged[at], forms[at]

    def _cleartext(self, seal: Sealed) -> Opened:
        """The text shown is what gpg printed, never the block itself (P81, P86)."""
        judged, text = _signature_in(seal.signature)[0], None
        block = seal.data.removesuffix(seal.signature) + _readable(seal.signature)
        if judged is None:
            judged, text = self._ask(lambda: self._read_text(block))
        if judged.verdict is Verdict.NONE:
            judged = Judged(Verdict.BAD, "a signed text without a signature")
        digest = _digest(judged, text)
        opened = replace(self._concluded(seal, judged, "cleartext"), signed_bytes=block, signed_digest=digest)
        if judged.verdict is not Verdict.GOOD or not seal.whole:
            return opened
        return replace(opened, content=text, charset=seal.charset)

    def _message(self, seal: Sealed) -> Opened:
        try:
            message = packets.dearmor(seal.data, b"MESSAGE")
            encrypted = packets.is_encrypted(message)
        except packets.Malformed as trouble:
            return _undecrypted(str(trouble))
        if encrypted:
            return self._encrypted(seal, message)
        if seal.shape is Shape.ENCRYPTED:  # said to be encrypted, and is not (P34)
            return _undecrypted("not an encrypted message")
        if nesting.too_deep(message):
            judged, text = Judged(Verdict.BAD, "a message compressed again and again"), None
        else:
            judged, text = self._ask(lambda: self._read_text(message))
        opened = replace(self._concluded(seal, judged, "message"), signed_digest=_digest(judged, text))
        if judged.verdict is not Verdict.GOOD or not seal.whole or text is None:
            return opened
        return replace(opened, signed_bytes=text, content=text, charset=seal.charset)

    def _encrypted(self, seal: Sealed, message: bytes) -> Opened:
        judged, text = self._ask(lambda: self._decrypt(message))
        if text is None:
            return _undecrypted(judged.reason)
        is_entity = seal.shape is Shape.ENCRYPTED or (seal.file != "" and _ENTITY.match(text) is not None)
        opened = replace(
            self._concluded(seal, judged, "message"),
            encrypted=True,
            decrypted="ok" if seal.whole else "partial",
            content=text,
            content_is_entity=is_entity,
            ciphertext=sha256(packets.without_session_keys(message)).hexdigest(),
            charset=seal.charset,
            signed_bytes=text if judged.verdict is not Verdict.NONE else b"",
            signed_digest=_digest(judged, text),
        )
        if judged.verdict is Verdict.NONE:
            opened = self._signed_within(opened, text, whole=seal.whole)
        ours = is_entity and not seal.file  # the headers in a file that came along are not this mail's
        return _protected(opened, _payload(opened.content or text)) if ours else opened

    def _signed_within(self, opened: Opened, content: bytes, *, whole: bool) -> Opened:
        """Sign, then encrypt: the decrypted entity or text has a signature of its own (RFC 3156 section 6.1)."""
        seal = pgpmime.sealed(content) if opened.content_is_entity else pgpmime.sealed_text(content)
        if seal is None or seal.encrypted:
            return opened
        inner = self.of(replace(seal, whole=seal.whole and whole))
        return replace(
            inner,
            encrypted=True,
            decrypted=opened.decrypted,
            content=content if inner.content is None else inner.content,
            content_is_entity=opened.content_is_entity,
            ciphertext=opened.ciphertext,
            charset=opened.charset,
            file=opened.file,
            repaired=opened.repaired,
        )

    # ---- asking gpg --------------------------------------------------------------------------------------------

    def _ask(self, question: Callable[[], Answer]) -> Answer:
        """Ask gpg; when it does not know the key, and we do, ask once more with it."""
        self.asked = True
        judged, text = question()
        if judged.verdict is Verdict.UNKNOWN_KEY:
            found = tuple(self.find(judged.issuer))
            if found:
                self.keys += found
                judged, text = question()
        return self._weighed(judged), text

    def _check(self, signature: bytes, data: bytes) -> Answer:
        ran = self.opener.runner.verify(signature, data, self._keyring())
        lines = lines_of(ran)
        return (_SURPRISED if lines is None else status.signature(lines, ran.code)), None

    def _read_text(self, message: bytes) -> Answer:
        ran = self.opener.runner.decrypt(message, self._keyring(), None)
        if silent(ran) and self._speaks():
            ran = self.opener.runner.decrypt(message, self._keyring(), None)
            if silent(ran):
                return _SURPRISED, None
        lines = lines_of(ran)
        about = None if lines is None else status.plain(lines, ran.code)
        if about is None:
            return _SURPRISED, None
        return (status.signature(about, ran.code) if about else status.NO_SIGNATURE), ran.output

    def _speaks(self) -> bool:
        """Whether gpg answers what it can: then its silence before was about the message, and is no fault of gpg."""
        ran = self.opener.runner.decrypt(_LITERAL, self._keyring(), None)
        return (ran.code, ran.output) == (0, b"x") and lines_of(ran) is not None

    def _decrypt(self, message: bytes) -> Answer:
        for ran, lines in self.opener.tries(message, self.keys, self.opener.runner.decrypt):
            about = None if lines is None else status.decrypted(lines, ran.code)
            if about is not None:
                return (status.signature(about, ran.code) if about else status.NO_SIGNATURE), ran.output
        return Judged(Verdict.NONE, "the message cannot be decrypted with our keys, or was altered on its way"), None

    def _keyring(self) -> str:
        return self.opener.keyrings.file(self.keys)

    # ---- judging further ---------------------------------------------------------------------------------------

    def _weighed(self, judged: Judged) -> Judged:
        """Conditions 3 and 4: strength of the key, and the time of signing."""
        if judged.verdict is not Verdict.GOOD or judged.signed_at is None:
            return judged
        if judged.signed_at > self.now + CLOCKS_DIFFER:
            return replace(judged, verdict=Verdict.BAD, reason="the signature is dated in the future")
        if judged.algorithm in packets.STRONG_CURVES:
            return judged
        key = keyring.find(self.keys, judged.key) or keyring.find(self.opener.own(), judged.key)
        if judged.algorithm not in packets.RSA or key is None or key.weak:
            return replace(judged, verdict=Verdict.UNSUPPORTED, reason="the key is too weak")
        return judged

    def _concluded(self, seal: Sealed, judged: Judged, form: str) -> Opened:
        signed = judged.verdict is not Verdict.NONE
        return Opened(
            verdict=judged.verdict,
            reason=judged.reason,
            covers=("all" if seal.whole else "part") if signed else "none",
            fingerprint=judged.fingerprint,
            certificate=self._certificate(judged.fingerprint),
            gpg=self.opener.runner.version() if signed and self.asked else "",
            issuer=judged.issuer,
            signed_at=judged.signed_at,
            stale=judged.signed_at is not None and judged.signed_at < self.now - STALE_AFTER,
            signature_id=judged.signature_id,
            form=form if signed else "none",
            file=seal.file,
            repaired=seal.repaired,
        )

    def _certificate(self, fingerprint: str) -> str:
        """The digest of the key that was proved, in the form it had now: renewals come and go (Opened.certificate)."""
        if not fingerprint:
            return ""
        proved = [key for key in self.keys if key.fingerprint == fingerprint] or self.opener.own()
        return next((sha256(key.data).hexdigest() for key in proved if key.fingerprint == fingerprint), "")


_ENTITY = re.compile(rb"Content-Type:[ \t]*[a-z]+/", re.IGNORECASE)  # how PGP/MIME begins within
_LITERAL = b"\xcb\x07b\0\0\0\0\0x"  # an OpenPGP message that says 'x' and nothing else
_SURPRISED = Judged(Verdict.BAD, "gpg reported something unexpected about the signature")


def _digest(judged: Judged, signed: bytes | None) -> str:
    """Of what is well signed, without what the forms differ in: ends of lines, blanks before them, and at the end.

    Whoever holds a signature can put it into another form, detached or around the text, without the key.
    """
    if judged.verdict is not Verdict.GOOD or signed is None:
        return ""
    lines = (line.rstrip(b" \t\r") for line in signed.split(b"\n"))
    return sha256(b"\n".join(lines).rstrip(b"\n")).hexdigest()


def _signature_in(armored: bytes) -> tuple[Judged | None, bytes]:
    """The binary signature; what is none, or none we know, is judged without gpg."""
    try:
        signature = packets.dearmor(armored, b"SIGNATURE")
        packets.signatures_only(signature)
    except packets.Unsupported as trouble:
        return Judged(Verdict.UNSUPPORTED, str(trouble)), b""
    except packets.Malformed as trouble:
        return Judged(Verdict.BAD, f"the signature cannot be read: {trouble}"), b""
    return None, signature


def _readable(signature: bytes) -> bytes:
    """As every gpg can read it, for it is what others verify with; what is no signature stays as it is."""
    try:
        return packets.with_checksum(signature) if signature[:1] < b"\x80" else packets.armored(signature, b"SIGNATURE")
    except packets.Malformed:
        return signature


def _undecrypted(reason: str) -> Opened:
    return Opened(reason=reason, encrypted=True, decrypted="fail")


def _payload(content: bytes) -> bytes:
    """What protects headers in a decrypted entity: the part that was signed before, whoever signed it; else all."""
    seal = pgpmime.sealed(content)
    return seal.data if seal is not None and seal.shape is Shape.SIGNED and seal.whole else content


def _protected(opened: Opened, payload: bytes) -> Opened:
    headers = pgpmime.protected_headers(payload)
    return replace(opened, protected_headers=headers, protected_subject=pgpmime.protected_subject(headers))
