"""The site: editions of notes -> path -> bytes. Says what each file is; signing and writing them is others' work.

Promises: the same editions are the same bytes, so that what did not change keeps its signature; every link within the
site is relative, so that it may stand below any address.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from mailrouter.case.formats.publisher import Publisher
from mailrouter.case.note import Edition
from mailrouter.press import pages

Files = Mapping[str, bytes]
IN_CLEAR = ("note.txt", "security.txt")  # texts that are signed with their signature around them
UNSIGNED = ("style.css", "key.asc")  # how pages look; and a key proves itself


def newest_first(editions: Iterable[Edition]) -> list[Edition]:
    """As readers are shown them: what was published last stands first."""
    return sorted(editions, key=lambda one: (one.first_published_at, one.note.vu), reverse=True)


def of_edition(edition: Edition, publisher: Publisher) -> Files:
    """Every file of one note."""
    vu = edition.note.vu
    return {
        f"vuls/id/{vu}/index.html": pages.of_note(edition, publisher, "../../../", ()),
    }


def of_all(editions: Sequence[Edition], publisher: Publisher, key: bytes, expires: datetime) -> Files:
    """What is there once, besides the notes. `key`: ours, armored; `expires`: how long security.txt may be believed."""
    ordered = newest_first(editions)
    return {
        "index.html": pages.of_front(len(ordered), publisher),
        "style.css": pages.style(),
        "key.asc": key,
        "vuls/index.html": pages.of_index(ordered, publisher, "../"),
        ".well-known/security.txt": security_txt(publisher, expires),
    }


def security_txt(publisher: Publisher, expires: datetime) -> bytes:
    """RFC 9116; without our site's address it names no place of its own."""
    lines = [
        ("Contact", f"mailto:{publisher.address}"),
        ("Contact", f"tel:{''.join(publisher.phone.split())}" if publisher.phone.startswith("+") else ""),
        ("Expires", f"{expires:%Y-%m-%dT%H:%M:%SZ}"),
        ("Encryption", publisher.key_url or (f"{publisher.url}/key.asc" if _secure(publisher) else "")),
        ("Canonical", f"{publisher.url}/.well-known/security.txt" if _secure(publisher) else ""),
        ("Policy", publisher.policy_url),
        ("Preferred-Languages", "en"),
    ]
    return "".join(f"{name}: {value}\n" for name, value in lines if value).encode()


def _secure(publisher: Publisher) -> bool:
    """Its addresses must begin with https (RFC 9116 section 2.5)."""
    return publisher.url.startswith("https://")


def as_json(document: object) -> bytes:
    """A document as it is published: readable, and the same bytes for the same content."""
    return json.dumps(document, ensure_ascii=True, indent=1).encode() + b"\n"
