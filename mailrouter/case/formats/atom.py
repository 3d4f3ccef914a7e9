"""The feed of published notes: Atom, RFC 4287.

An entry keeps its id through all revisions, and a reader sees a revision by its `updated`. Escaping is the XML
library's; characters that XML 1.0 cannot hold at all are left out.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

from mailrouter.case.formats import lines, paths, wording
from mailrouter.case.formats.publisher import Publisher
from mailrouter.case.note import Edition

NAMESPACE = "http://www.w3.org/2005/Atom"
NEVER = datetime(1970, 1, 1, tzinfo=UTC)  # the feed's date before the first note
MOST = 1000  # characters of a summary
_NO_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, 2.2


def feed(editions: Iterable[Edition], publisher: Publisher) -> bytes:
    """The newest edition of each note, the last that was updated first; ASCII bytes, with the XML declaration."""
    newest = sorted(editions, key=lambda one: (one.updated_at, one.note.vu), reverse=True)
    root = ET.Element("feed", xmlns=NAMESPACE)
    _text(root, "title", f"{publisher.called}: Vulnerability Notes")
    _text(root, "id", _id(publisher, paths.FEED, 2026))
    _text(root, "updated", wording.stamp(newest[0].updated_at if newest else NEVER))
    author = ET.SubElement(root, "author")
    _text(author, "name", publisher.called)
    _text(author, "email", publisher.address)
    if publisher.url:
        _link(root, "self", f"{publisher.url}/{paths.FEED}", "application/atom+xml")
        _link(root, "alternate", f"{publisher.url}/", "text/html")
    for one in newest:
        _entry(root, one, publisher)
    written: bytes = ET.tostring(root, encoding="us-ascii", xml_declaration=True)
    return written


def _entry(root: ET.Element, edition: Edition, publisher: Publisher) -> None:
    note, page = edition.note, paths.page(edition.note.vu)
    entry = ET.SubElement(root, "entry")
    _text(entry, "title", f"{wording.case(note.vu)}: {lines.one(note.sections.title)}")
    _text(entry, "id", _id(publisher, page, edition.first_published_at.year))
    _text(entry, "published", wording.stamp(edition.first_published_at))
    _text(entry, "updated", wording.stamp(edition.updated_at))
    _link(entry, "alternate", f"{publisher.url}/{page}" if publisher.url else page.removeprefix("vuls/"), "text/html")
    _text(entry, "summary", _short(lines.one(note.sections.overview)))


def _id(publisher: Publisher, path: str, year: int) -> str:
    """Its address; a tag (RFC 4151) while the site has none."""
    return f"{publisher.url}/{path}" if publisher.url else f"tag:{publisher.domain},{year}:{path}"


def _short(text: str) -> str:
    return text if len(text) <= MOST else text[: MOST - 1] + "…"


def _text(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, name).text = _NO_XML.sub("", text)


def _link(parent: ET.Element, rel: str, href: str, kind: str) -> None:
    ET.SubElement(parent, "link", rel=rel, href=_NO_XML.sub("", href), type=kind)
