"""Whether a whole case's letters tell anybody of anybody else: every byte that left, as it left and opened.

Owes nothing to the code under test: the standard library takes the mails apart, the recipient's own gpg opens them.
"""

import base64
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message

Opens = Callable[[str, bytes], bytes]  # recipient, armored message -> what it says

_ARMOR = re.compile(
    rb"-----BEGIN PGP (?:MESSAGE|SIGNATURE|PUBLIC KEY BLOCK)-----\s.*?-----END PGP [A-Z ]+-----", re.DOTALL
)
_HEX = re.compile(r"(?:0x)?([0-9A-Fa-f]{8,40})")


def assert_no_leak(
    mails_by_recipient: Mapping[str, Sequence[bytes]], secrets: Mapping[str, Collection[str]], opens: Opens
) -> None:
    """No mail to anybody holds a secret of anybody else's, in whatever case or wrapping, raw, decoded or decrypted.

    `mails_by_recipient`: name -> the mails that recipient was sent, as they left. `secrets`: name -> addresses, key ids
    (16 or 40 hexadecimal digits), Message-IDs, and of anonymous ones their names: what nobody else may read. Key ids
    are looked for as the bytes that stand in encrypted data and signatures, too. `opens`: the recipient's gpg.
    """
    assert set(mails_by_recipient) <= set(secrets), "whose secrets are whose?"
    leaks = [
        f"mail {number} to {recipient} holds {secret!r} of {other}"
        for recipient, mails in mails_by_recipient.items()
        for number, raw in enumerate(mails, 1)
        for other, secret in _told(recipient, raw, secrets, opens)
    ]
    assert not leaks, "\n".join(leaks)


def _told(
    recipient: str, raw: bytes, secrets: Mapping[str, Collection[str]], opens: Opens
) -> Iterator[tuple[str, str]]:
    pieces = list(readings(recipient, raw, opens))
    flat = [_flat(piece) for piece in pieces]
    for other in secrets.keys() - {recipient}:
        for secret in set(secrets[other]) - set(secrets[recipient]):
            wanted = _flat(secret.encode())
            digits = _HEX.fullmatch(secret.replace(" ", ""))
            octets = bytes.fromhex(digits[1][-16:]) if digits and len(digits[1]) >= 16 else None
            if any(wanted in one for one in flat) or (octets and any(octets in piece for piece in pieces)):
                yield other, secret


def _flat(data: bytes) -> bytes:
    """Without blanks, line ends and soft hyphens, in lower case: however a mail was wrapped."""
    text = data.decode("utf-8", "replace").replace("\u00ad", "").casefold()
    return re.sub(r"[\s\0]+", "", text).encode("utf-8", "replace")


def readings(recipient: str, raw: bytes, opens: Opens) -> Iterator[bytes]:
    """A mail as it is, its headers and parts decoded, armored parts as bytes, and all again once decrypted."""
    yield raw
    for part in message_from_bytes(raw).walk():
        yield from _headers(part)
        content = part.get_payload(decode=True)
        if isinstance(content, bytes):
            yield content
            for found in _ARMOR.finditer(content):
                yield _dearmored(found[0])
                if found[0].startswith(b"-----BEGIN PGP MESSAGE"):
                    yield from readings(recipient, opens(recipient, found[0]), opens)


def _headers(part: Message) -> Iterator[bytes]:
    for name, value in part.items():
        yield f"{name}: {make_header(decode_header(str(value)))}".encode("utf-8", "surrogateescape")
    for field in ("filename", "name"):
        yield str(part.get_param(field, "", "content-disposition") or "").encode("utf-8", "surrogateescape")


def _dearmored(armor: bytes) -> bytes:
    lines = armor.replace(b"\r", b"").partition(b"\n\n")[2].splitlines()
    return base64.b64decode(b"".join(line for line in lines if not line.startswith((b"=", b"-"))))
