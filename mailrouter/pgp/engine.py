"""`Pgp`: the one object the flows hold for OpenPGP. Opens what came in, seals what goes out; fails closed."""

import math
import re
import tempfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from mailrouter.faults import CannotSign, Refused, TryLater
from mailrouter.mail import pgpmime
from mailrouter.mail.pgpmime import Opened, Shape
from mailrouter.pgp import imports, packets
from mailrouter.pgp.agent import Agent, ShortHome
from mailrouter.pgp.imports import KeyInfo
from mailrouter.pgp.keyring import Keyrings, PublicKey, public_keys
from mailrouter.pgp.opening import Find, Opener
from mailrouter.pgp.ownkeys import OwnKeys
from mailrouter.pgp.runner import Runner
from mailrouter.pgp.wrapper import Gnupg

DIGEST, MICALG = "SHA512", "pgp-sha512"  # long enough for every curve; micalg is RFC 3156 section 5's word for it

_NAME = re.compile(r"[^\x00-\x1f\x7f<>]{1,200}")
_EXPIRES = re.compile(r"|[1-9][0-9]{0,3}[dwmy]|[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INVALID = re.compile(r"^\[GNUPG:\] INV_RECP [0-9]+ ([0-9A-F]{40})", re.MULTILINE)  # a reason, who
_LOCKED = (
    "the key does not sign: its secret part is missing or has a passphrase; put that into a file that only the daemon's"
    " user can read, and name it in identity.passphrase_file"
)
_LOCKED_OTHERWISE = "the key does not sign: its secret part is missing, or identity.passphrase_file does not open it"
_ADDRESS = re.compile(r"[^\s\x00-\x1f\x7f<>@]{1,64}@[^\s\x00-\x1f\x7f<>@]{1,255}")


class Pgp:
    """GnuPG with one GNUPGHOME of our own keys.

    `home` and `keyrings` are folders, made when missing, mode 0700. `passphrase`: of our secret keys; None when they
    have none. `limit`: wall-clock seconds for one gpg process. `key`: fingerprint of the key we sign with; '' for the
    newest. `archive`: fingerprints in `home`, or key files, of those who can read what we send encrypted; nothing for
    the key we sign with. Every method may raise TryLater: gpg hangs, was killed, or answers with garbage, and nothing
    is known. Safe in several threads and processes.
    """

    def __init__(
        self, home: Path, keyrings: Path, passphrase: str | None = None, limit: float = 30.0,
        key: str = "", archive: Sequence[str] = (), program: str = "gpg",
    ) -> None:  # fmt: skip
        for folder in (home, keyrings):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._home = home
        self._short = ShortHome(home)
        self._passphrase, self._limit, self._program = passphrase, limit, program
        self._ours = OwnKeys(home, self._gpg, key, archive)
        self._keyrings = Keyrings(keyrings)
        self._agent = Agent(self._short.path, limit)
        self._always: tuple[PublicKey, ...] = ()  # known beside what a caller gives; for inspection only
        self._secrets: tuple[bytes, ...] = ()  # still to be imported; for inspection only
        self._inspecting = False
        self._wrapper: Gnupg | None = None
        self._opener = Opener(
            Runner(program, self._short.path, limit), self._agent, self._keyrings, self._own_public,
            None if passphrase is None else passphrase.encode(),
        )  # fmt: skip

    @classmethod
    def for_inspection(
        cls, home: Path, public: Sequence[bytes], secret: Sequence[bytes], passphrase: str | None = None
    ) -> "Pgp":
        """A Pgp for `inspect`: knows the keys of these files, armored or binary, and nothing else.

        `home` is a temporary folder. No process is started before the first mail that needs one. Raises Refused for a
        file that holds no such key, naming it by its place in the list, from 1.
        """
        pgp = cls(home / "g", home / "k", passphrase)
        pgp._inspecting = True
        for number, data in enumerate(public, 1):
            try:
                pgp._always += public_keys(data)
            except packets.Malformed as trouble:
                raise Refused(f"public key file {number} holds no public key, or is damaged") from trouble
        pgp._secrets = tuple(_secret(number, data) for number, data in enumerate(secret, 1))
        return pgp

    def close(self) -> None:
        """Stop the agent of this home, for every process that uses it. A folder of keys is left as it is."""
        self._agent.stop()
        self._short.close()

    # ---- what came in ------------------------------------------------------------------------------------------

    def open(self, raw: bytes, known: Sequence[PublicKey], find: Find, now: datetime) -> Opened:
        """Decrypt and verify one mail, with the keys `known` of the organisation its From claims.

        For a signature by another key, `find` is called once with the issuer (a fingerprint or a key id, which prove
        nothing), and its keys are tried too. Whose the proved fingerprint is, is for the caller to decide. Mail without
        OpenPGP starts no process.
        """
        seal = pgpmime.sealed(raw)
        if seal is None:
            return Opened()
        ours = self._own_public() if self._inspecting else ()
        return self._opener.open(seal, (*self._always, *ours, *known), find, now)

    def unwrapped(self, raw: bytes) -> bytes:
        """The signed OpenPGP message that a mail is, or that its one encrypted part holds, without the encryption.

        Armored: anybody can verify it with any OpenPGP program. For mail that `open` said is of the form `message`;
        proves nothing by itself. b'' when there is no such message, or it cannot be decrypted.
        """
        seal = pgpmime.sealed(raw)
        whole = seal is not None and seal.shape in {Shape.ENCRYPTED, Shape.MESSAGE}
        return self._opener.unwrapped(seal) if seal is not None and whole else b""

    def import_public(self, data: bytes) -> KeyInfo:
        """The one usable public key in a key file; see `imports.import_public`. Nothing is kept."""
        return imports.import_public(data, self._limit, self._program)

    def try_candidate(self, data: bytes, seconds: float) -> KeyInfo:
        """The same for a key that a mail brought along: it has this long, and no longer (testbook P117)."""
        return imports.import_public(data, min(self._limit, seconds), self._program)

    def renewed(self, pinned: bytes, offered: bytes, seconds: float = math.inf) -> KeyInfo | None:
        """What a copy that a mail brought newly says of a pinned key; see `imports.renewed`."""
        return imports.renewed(pinned, offered, min(self._limit, seconds), self._program)

    def together(self, pinned: bytes, offered: bytes) -> KeyInfo:
        """The pinned key with what an analyst's copy of it adds; see `imports.together`."""
        return imports.together(pinned, offered, self._limit, self._program)

    def revoked(self, pinned: bytes, offered: bytes, seconds: float = math.inf) -> KeyInfo | None:
        """The pinned key as revoked by itself; see `imports.revoked`."""
        return imports.revoked(pinned, offered, min(self._limit, seconds), self._program)

    # ---- our own keys ------------------------------------------------------------------------------------------

    def make_key(self, name: str, address: str, expires: str = "") -> KeyInfo:
        """Make a key of ours: ed25519 to sign, cv25519 to encrypt. Refused: a name gpg cannot take.

        `expires`: a number with d, w, m or y, such as `2y`, or a date; '' for never.
        """
        if not _NAME.fullmatch(name) or not _ADDRESS.fullmatch(address):
            raise Refused("a key needs a name and an address without line breaks and angle brackets")
        if not _EXPIRES.fullmatch(expires):
            raise Refused("a key expires after a time such as 2y, 18m or 90d, on a date such as 2028-12-31, or never")
        fingerprint = self._gpg().make(name, address, expires or "0")
        return next(key for key in self.own_keys() if key.fingerprint == fingerprint)

    def vouch_for(self, new: str, old: str) -> None:
        """Sign one key of ours with another one: whoever has compared the old fingerprint can believe the new."""
        self._gpg().certify(new, self._ours.signing(old).fingerprint)

    def import_own(self, data: bytes) -> KeyInfo:
        """Take one secret key as ours. It is tried in a home of its own first: what cannot sign is Refused, and why."""
        secret = imports.one_secret(data)
        with tempfile.TemporaryDirectory(prefix="mr-") as folder:
            alone = Pgp(Path(folder) / "h", Path(folder) / "k", self._passphrase, self._limit, program=self._program)
            try:
                alone._gpg().import_keys(secret)
                key = alone.tried()
            finally:
                alone.close()
        self._gpg().import_keys(secret)
        return key

    def tried(self) -> KeyInfo:
        """The key our letters are signed with, once it has signed something. Refused, and why, when it does not."""
        key = self.signing_key()
        try:
            self.sign_detached(b"")
        except CannotSign:
            raise Refused(_LOCKED if self._passphrase is None else _LOCKED_OTHERWISE) from None
        return key

    def own_keys(self) -> tuple[KeyInfo, ...]:
        """The keys we hold the secret of, oldest first. Asked of gpg again only when the key files have changed."""
        self._import_secrets()
        return self._ours.everyone()

    def signing_key(self, fingerprint: str = "") -> KeyInfo:
        """The key our letters are signed with, or this one. Refused when it is not there or cannot sign (any more)."""
        self._import_secrets()
        return self._ours.signing(fingerprint)

    def chosen_key(self) -> KeyInfo | None:
        """The key that is to sign, even if it has expired; None when there is none."""
        self._import_secrets()
        return self._ours.chosen()

    def export(self, fingerprint: str = "") -> bytes:
        """One of our public keys, armored; without a fingerprint the one we sign with."""
        return self._ours.armored(fingerprint)

    def for_directory(self, address: str, fingerprint: str = "") -> bytes:
        """The same for a Web Key Directory: binary, its only user id the address's. Refused when it has none."""
        return self._ours.for_directory(address, fingerprint)

    def autocrypt(self, address: str) -> bytes:
        """What our letters carry of the key we sign with; b'' when nobody could encrypt to it."""
        return self._ours.autocrypt(address)

    def archive_keys(self) -> tuple[PublicKey, ...]:
        """Who can read what we send encrypted, beside its recipient. Refused when a configured key cannot be had."""
        return self._ours.archive()

    # ---- what goes out -----------------------------------------------------------------------------------------

    def sign_detached(self, data: bytes, signer: str = "") -> bytes:
        """An armored signature over `data`, which has CRLF line ends; `MICALG` says its hash (RFC 3156)."""
        return self._gpg().sign_apart(data, self.signing_key(signer).fingerprint, DIGEST)

    def sign_around(self, text: bytes, signer: str = "") -> bytes:
        """The UTF-8 text with an armored signature around it (RFC 9580 section 7): people and gpg can read it."""
        return self._gpg().sign_around(text, self.signing_key(signer).fingerprint, DIGEST)

    def encrypt(
        self, data: bytes, recipients: Sequence[PublicKey], *, archive: Sequence[PublicKey] = (), sign: bool = True,
        signer: str = "",
    ) -> bytes:  # fmt: skip
        """An armored message that exactly these keys can open, signed by us within unless `sign` is False.

        Refused when one of the keys cannot encrypt (any more): then there is no letter, and never a clear one (P121).
        """
        if not recipients:
            raise Refused("a letter cannot be encrypted to nobody: no recipient's key is given")
        signing = self.signing_key(signer) if sign else None
        readers = tuple({key.fingerprint: key for key in (*recipients, *archive)}.values())
        keyring = self._keyrings.file([*readers, signing.public] if signing else readers)
        fingerprints = [key.fingerprint for key in readers]
        done = self._gpg().encrypt_to(data, fingerprints, keyring, signing.fingerprint if signing else "", DIGEST)
        if refused := _INVALID.findall(done.stderr):
            raise Refused(_cannot_read(refused, recipients))
        if not done.ok or done.returncode != 0 or not _only_to(bytes(done.data), readers):
            if signing:
                self.sign_detached(b"", signing.fingerprint)  # which of the two failed: it says so if it is this one
            raise TryLater("gpg could not encrypt")
        return bytes(done.data)

    # ---- within ------------------------------------------------------------------------------------------------

    def _gpg(self) -> Gnupg:
        if self._wrapper is None:  # costs a process, so not before it is needed
            self._wrapper = Gnupg(self._short.path, self._passphrase, self._limit, self._program)
        return self._wrapper

    def _own_public(self) -> tuple[PublicKey, ...]:
        return tuple(key.public for key in self.own_keys())

    def _import_secrets(self) -> None:
        if self._secrets:
            pending, self._secrets = b"".join(self._secrets), ()
            self._gpg().import_keys(pending)


def _secret(number: int, data: bytes) -> bytes:
    try:
        binary = packets.dearmor(data, b"PRIVATE KEY BLOCK")
        if any(packet.tag == packets.SECRET_KEY for packet in packets.packets(binary)):
            return binary
    except packets.Malformed:
        pass
    raise Refused(f"secret key file {number} holds no secret key, or is damaged")


def _cannot_read(refused: Sequence[str], recipients: Sequence[PublicKey]) -> str:
    theirs = any(key.fingerprint in refused for key in recipients)
    whose = "a recipient's key" if theirs else "our archive key (identity.archive_key)"
    return f"{whose} cannot be used for encryption: {refused[0]} has expired, was revoked, or is not for it"


def _only_to(message: bytes, recipients: Sequence[PublicKey]) -> bool:
    """Whether the message can be opened by each of these keys and by no other (P120, P122)."""
    named = packets.recipients(packets.dearmor(message, b"MESSAGE", ours=True))
    able = [{material.fingerprint[-16:] for material in packets.keys_of(key.data)} for key in recipients]
    return len(named) == len(able) and all(any(name in ids for name in named) for ids in able)
