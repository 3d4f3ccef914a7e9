"""The site: editions of notes -> path -> bytes. Says what each file is; signing and writing them is others' work.

Promises: the same editions are the same bytes, so that what did not change keeps its signature; every link within the
site is relative, so that it may stand below any address.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from hashlib import sha256
from importlib.metadata import version

from mailrouter.case.formats import atom, csaf, cverecord, paths, text, vuls
from mailrouter.case.formats.publisher import Publisher
from mailrouter.case.note import Edition
from mailrouter.press import pages

Files = Mapping[str, bytes]
OURS = "reserved"  # source of an ID whose record we write; of any other, somebody else does
UNSIGNED = ("style.css", "key.asc")  # how pages look; and a key proves itself
SIGNED_WITHIN = (".well-known/security.txt",)  # the file itself is cleartext-signed (RFC 9116 section 2.3)


def newest_first(editions: Iterable[Edition]) -> list[Edition]:
    """As readers are shown them: what was published last stands first."""
    return sorted(editions, key=lambda one: (one.first_published_at, one.note.vu), reverse=True)


def of_edition(edition: Edition, publisher: Publisher, *, draft: str = "") -> Files:
    """Every file of one note; `draft`: which one it is, as its page and its text say; '' : it is published."""
    page, api = paths.page(edition.note.vu), paths.json(edition.note.vu)
    ours = [one for one in edition.note.vulnerabilities if one.cve and one.cve_source == OURS]
    root = "../" * (page.count("/") + 1)
    advisory = as_json(csaf.document(edition, publisher))
    return {
        f"{page}/index.html": pages.of_note(edition, publisher, root, [one.cve for one in ours], draft=draft),
        f"{page}/note.txt": text.of(edition, publisher, draft=draft).encode("utf-8", "replace"),
        f"{api}index.json": as_json(vuls.note(edition)),
        f"{api}vendors/index.json": as_json(vuls.vendors(edition)),
        f"{api}vuls/index.json": as_json(vuls.vuls(edition)),
        f"{api}vendors/vuls/index.json": as_json(vuls.vendor_vuls(edition)),
        f"{api}csaf/index.json": advisory,
        paths.csaf(edition): advisory,
        **{f"vuls/cve/{one.cve}.json": as_json(cverecord.record(edition, one, publisher)) for one in ours},
    }


def of_all(editions: Sequence[Edition], publisher: Publisher, key: bytes, expires: datetime) -> Files:
    """What is there once, besides the notes. `key`: ours, armored; `expires`: how long security.txt may be believed."""
    ordered = newest_first(editions)
    return {
        "index.html": pages.of_front(len(ordered), publisher),
        "style.css": pages.style(),
        "key.asc": key,
        "vuls/index.html": pages.of_index(ordered, publisher, "../"),
        paths.FEED: atom.feed(ordered, publisher),
        ".well-known/security.txt": security_txt(publisher, expires),
    }


def is_text(path: str) -> bool:
    """Whether its signature is around it: people read it. Of the others it stands apart."""
    return path.endswith(("/note.txt", "/security.txt"))


@cache
def made_by() -> bytes:
    """What makes files of notes, besides the notes: when it changes, files do."""
    made = sha256(version("mailrouter").encode())
    for source in pages.sources():
        made.update(source)
    return made.digest()


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
