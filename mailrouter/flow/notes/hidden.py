"""Whether a note would name anybody who is hidden: in what is kept of it, and in every file that readers would get.

Promises: nothing is published that was not searched for all that is known of them, as it is known in the transaction
that decides; what is found is told by pseudonym.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection

from mailrouter import faults
from mailrouter.case.model import Case, Participant
from mailrouter.case.note import Edition, Note, Sections
from mailrouter.flow import leaking, publisher
from mailrouter.flow.composing import facts
from mailrouter.flow.filing import look
from mailrouter.flow.leaking import Known
from mailrouter.flow.leaking.sought import STRANGER, THIRD
from mailrouter.mail import disguises
from mailrouter.mail.leaks import Finding, Kind, Needle, compact
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


def render(tools: Tools, case_id: int, edition: Edition) -> Rendered:
    """What is searched. Outside of transactions: it may take a while, mails are opened, and gpg is asked for our key.

    `TryLater` while a report of somebody who is hidden cannot be opened: what it says of them must be known.
    """
    _open_reports(tools, case_id)
    ours = publisher.of(tools)
    nothing = Note(edition.note.vu, Sections("", "", "", "", "", ""), (), (), edition.note.public_at)
    blank = Edition(nothing, tuple(replace(one, why="") for one in edition.history))
    return Rendered(edition, site.of_edition(edition, ours), site.of_edition(blank, ours))


def _open_reports(tools: Tools, case_id: int) -> None:
    with tools.db.read() as tx:
        unread = leaking.unread_of_case(tx, tools, case_id)
    for report_id, message_id in unread:
        seen = look.at(tools, message_id)
        if seen.trouble.startswith(look.NOT_NOW):
            raise faults.TryLater("a report of the case cannot be opened just now, and its reporter is hidden")
        leaking.remember(tools, report_id, seen.text)


def named(tx: Connection, tools: Tools, case: Case, rendered: Rendered) -> str:
    """Whom of them it would name, and where, in words; '' nobody."""
    known = leaking.known(tx, tools, case.id)
    people = cases.participants_of(tx, [case.id])
    shared = _shared(known, people)
    own_words = shared | {needle for text in _texts(rendered.empty) for needle in _needles(known, text)}
    found = list(_in(known, people, {THE_NOTE: "\n".join(_strings(rendered.edition))}, shared))
    found += _in(known, people, dict(zip(rendered.files, _texts(rendered.files), strict=True)), own_words)
    return leaking.words(found, known.called)


def _in(
    known: Known, people: Iterable[Participant], texts: Mapping[str, str], harmless: set[Needle]
) -> Iterator[Finding]:
    hidden = {one.organisation_id for one in people if one.anonymous} | {STRANGER, THIRD}
    unnamed = {one.organisation_id for one in people if _not_to_be_named(one)}
    for where, text in texts.items():
        for one in leaking.in_text(known, text, where=where, harmless=harmless):
            if (one.hard and one.owner in hidden | unnamed) or (one.kind is Kind.NAME and one.owner in unnamed):
                yield one


def _not_to_be_named(one: Participant) -> bool:
    """A reporter whom vendors may know, and readers may not."""
    return one.is_reporter and not one.credit and not facts.shown(one)


def _shared(known: Known, people: Iterable[Participant]) -> set[Needle]:
    """What is also theirs whom the note names: the mail domain of a reporter who works for a vendor."""
    theirs = {one for p in people if facts.shown(p) for one in known.index.own(p.organisation_id)}
    return {one for one in known.index.needles if (one.kind, compact(one.text)) in theirs}


def _needles(known: Known, text: str) -> set[Needle]:
    return {hit.needle for hits in known.index.scan(disguises.readings(text)) for hit in hits}


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
