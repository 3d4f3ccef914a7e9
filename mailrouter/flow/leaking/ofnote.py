"""Whom a note would name who must not be: in what is kept of it, and in every file that readers would get.

Promises: it is searched for all that is known of who is hidden, not to be credited, or only suspected; for how letters
call who is hidden; and for a title in the words of a hidden reporter. What is found is told by pseudonym.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection

from mailrouter.case.model import Case, Participant
from mailrouter.case.note import Edition, Note, Sections
from mailrouter.flow import publisher
from mailrouter.flow.composing import facts
from mailrouter.flow.leaking.letter import in_text, words
from mailrouter.flow.leaking.sought import STRANGER, THIRD, Known, known
from mailrouter.mail import disguises, leaks
from mailrouter.mail.leaks import Finding, Index, Kind, Needle, compact
from mailrouter.press import site
from mailrouter.store import cases
from mailrouter.tools import Tools

THE_NOTE = "the note"


@dataclass(frozen=True, slots=True)
class Rendered:
    """An edition and every file that readers would get of it; and the same of one that says nothing."""

    edition: Edition
    files: Mapping[str, bytes]
    empty: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Named:
    """In words; '' nobody."""

    surely: str
    perhaps: str  # a name that only an unproved mail gives, or that may be any word


def rendered(tools: Tools, edition: Edition) -> Rendered:
    """What is searched. gpg is asked for our key."""
    ours = publisher.of(tools)
    nothing = Note(edition.note.vu, Sections("", "", "", "", "", ""), (), (), edition.note.public_at)
    blank = Edition(nothing, tuple(replace(one, why="") for one in edition.history))
    return Rendered(edition, site.of_edition(edition, ours), site.of_edition(blank, ours))


def named(tx: Connection, tools: Tools, case: Case, note: Rendered) -> Named:
    """Whom it would name, and where: as they are known in this transaction."""
    sought = known(tx, tools, case.id)
    people = cases.participants_of(tx, [case.id])
    found = [*_titles(sought, note.edition.note), *_anywhere(sought, people, note)]
    surely = [one for one in found if one.hard]
    perhaps = [one for one in found if not one.hard]
    return Named(words(surely, sought.called), words(perhaps, sought.called))


def _titles(sought: Known, note: Note) -> Iterator[Finding]:
    """What a hidden reporter called it, others may know them by."""
    theirs = {compact(title): owner for title, owner in sought.titles.items() if compact(title)}
    kept = [("the title, `mailrouter note write`", note.sections.title)]
    for one in note.vulnerabilities:
        number = f"VU#{note.vu}.{one.number}"
        kept.append((f"the title of {number}, `mailrouter case title {number} '…'`", one.title))
    for where, title in kept:
        if compact(title) in theirs:
            yield Finding(Kind.TITLE, theirs[compact(title)], where, hard=True)


def _anywhere(sought: Known, people: Iterable[Participant], note: Rendered) -> Iterator[Finding]:
    shared = _shared(sought, people)
    empty = _texts(note.empty)
    own_words = shared | {needle for text in empty for needle in _needles(sought.index, text)}
    kept = "\n".join(_strings(note.edition))
    yield from _in(sought, people, {THE_NOTE: kept}, shared)
    yield from _in(sought, people, dict(zip(note.files, _texts(note.files), strict=True)), own_words)
    yield from leaks.findings(*_pseudonyms(sought, people, kept), recipient=-1, where=THE_NOTE)


def _in(
    sought: Known, people: Iterable[Participant], texts: Mapping[str, str], harmless: Collection[Needle]
) -> Iterator[Finding]:
    hidden = {one.organisation_id for one in people if one.anonymous} | {STRANGER, THIRD}
    unnamed = {one.organisation_id for one in people if _not_to_be_named(one)}
    for where, text in texts.items():
        for one in in_text(sought, text, where=where, harmless=harmless):
            if one.owner in unnamed and one.kind is Kind.NAME:
                yield replace(one, hard=True)
            elif one.owner in hidden or (one.owner in unnamed and one.hard):
                yield one


def _not_to_be_named(one: Participant) -> bool:
    """A reporter whom vendors may know, and readers may not; a vendor of whom nothing is said to anybody."""
    return not facts.shown(one) and not one.credit and (one.is_reporter or one.progress == facts.SUSPECTED)


def _shared(sought: Known, people: Iterable[Participant]) -> set[Needle]:
    """What is also theirs whom the note names: the mail domain of a reporter who works for a vendor."""
    theirs = {one for p in people if facts.shown(p) for one in sought.index.own(p.organisation_id)}
    return {one for one in sought.index.needles if (one.kind, compact(one.text)) in theirs}


def _pseudonyms(sought: Known, people: Iterable[Participant], text: str) -> tuple[Index, leaks.Scan]:
    """Letters call them so: who has both would know of whom the note speaks."""
    hidden = {one.organisation_id for one in people if one.anonymous}
    index = Index([Needle(Kind.PSEUDONYM, one, sought.called[one]) for one in hidden if sought.called.get(one)])
    return index, index.scan(disguises.readings(text))


def _needles(index: Index, text: str) -> set[Needle]:
    return {hit.needle for hits in index.scan(disguises.readings(text)) for hit in hits}


def _texts(files: Mapping[str, bytes]) -> list[str]:
    return [content.decode("utf-8", "replace") for content in files.values()]


def _strings(value: Any) -> Iterator[str]:
    """Every text that is kept of it, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple):
        for one in value:
            yield from _strings(one)
    elif hasattr(value, "__dataclass_fields__"):
        for name in value.__dataclass_fields__:
            yield from _strings(getattr(value, name))
