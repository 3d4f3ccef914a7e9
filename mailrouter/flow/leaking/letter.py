"""What a text, or a letter with all that goes along, tells of others; and how that is said to a person.

Promises: what is hard never leaves by itself, whoever wrote it; what is soft only a person lets go; what is said of it
names nobody but by pseudonym, and never repeats the text.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from mailrouter.case import accept, contacting, embargo, followup, noted
from mailrouter.flow import beforehand
from mailrouter.flow.composing import facts
from mailrouter.flow.leaking import sought
from mailrouter.flow.leaking.sought import STRANGER, Fixed, Known, known
from mailrouter.mail import disguises, leaks, texts
from mailrouter.mail.compose import Headers
from mailrouter.mail.entity import Attachment
from mailrouter.mail.leaks import Finding, Kind, Needle, Scan
from mailrouter.store import acknowledgements, cases, contacts, identities, reports
from mailrouter.store.outbox import Letter
from mailrouter.tools import Tools

BODY = "the body"
NOTES = ("draft",)  # letters that hold the note
IN_NOTES = (Kind.NAME, Kind.PERSON, Kind.DOMAIN, Kind.ADDRESS, Kind.KEY)  # what it says of its vendors
NOBODY = -1  # a recipient who is no organisation
MOST_FILES = 200  # of a case, whose searches are kept
MOST_TOLD = 5  # findings of one letter that are named one by one

# What our own code puts into letters: as little anybody's name as the letters' own texts are.
INSERTED = (
    texts.ANSWER_FORM, texts.EMBARGO_FORM, *contacting.SENTENCES, *accept.SENTENCES, *embargo.SENTENCES,
    *followup.SENTENCES,
    *beforehand.SENTENCES, *noted.SENTENCES,
)  # fmt: skip

MEANT = "write it anew, or give the command again with --names-ok if that is meant"
WRITTEN_ANEW = "write it anew, or `mailrouter outbox release {} --despite-leak --why …` if that is meant"


@dataclass(frozen=True, slots=True)
class Carried:
    """A file that goes along, and its SHA-256, if it is kept."""

    file: Attachment
    digest: str = ""


def in_text(
    case: Known, text: str, recipient: int = NOBODY, where: str = BODY, harmless: Collection[Needle] = frozenset()
) -> list[Finding]:
    """What any text tells of the case's people, to one organisation or, by default, to the world: whose each finding
    is says which of them may be named there.
    """
    return leaks.findings(case.index, case.index.scan(disguises.readings(text)), recipient, where, harmless)


# ---- a letter that is about to leave --------------------------------------------------------------------------------


def concerns(letter: Letter) -> bool:
    """Whether it goes to a participant or a reporter: our own staff may know, and an acknowledgement says nothing."""
    return letter.name != acknowledgements.NAME and (letter.participant_id is not None or letter.report_id is not None)


def unread(tx: Connection, tools: Tools, letter: Letter) -> list[tuple[int, int]]:
    """Reports whose mails must be opened before the letter is searched, and these mails: they may be encrypted."""
    case_id = _case_of(tx, letter)
    return sought.unread_of_case(tx, tools, case_id) if case_id is not None else []


def of_letter(
    tx: Connection, tools: Tools, letter: Letter, headers: Sequence[Headers], files: Sequence[Carried]
) -> tuple[list[Finding], Mapping[int, str]]:
    """What it tells of others, hard and soft, and how those are called. `headers`: inside and outside."""
    if not concerns(letter):
        return [], {}
    case_id = _case_of(tx, letter)
    case = known(tx, tools, case_id) if case_id is not None else sought.of_all_cases(tx, tools)
    recipient = recipient_of(tx, letter.recipient, letter.participant_id)
    harmless = _harmless(tools, case, letter.name, letter.body)
    found = [
        *_in_headers(case, recipient, headers, _phrases(tools, letter.name)),
        *_in_threads(case, recipient, headers),
        *_in_texts(case, recipient, {BODY: letter.body}, harmless),
        *_in_files(case, recipient, files),
    ]
    if letter.name in NOTES and case_id is not None:
        found = _but_what_the_note_says(tx, case_id, found)
    return found, case.called


def _but_what_the_note_says(tx: Connection, case_id: int, found: Sequence[Finding]) -> list[Finding]:
    """Whom it shows stands in it with name, statement, and the key that proves this; so may credited reporters."""
    people = cases.participants_of(tx, [case_id])
    named = {one.organisation_id for one in people if facts.shown(one) or (one.credit and not one.anonymous)}
    return [one for one in found if one.owner not in named or one.kind not in IN_NOTES]


def _case_of(tx: Connection, letter: Letter) -> int | None:
    """Its own, that of the report it is about, or of the report that this one repeats."""
    if letter.case_id is not None or letter.report_id is None:
        return letter.case_id
    report = reports.get(tx, letter.report_id)
    if report.case_id is None and report.duplicate_of_id is not None:
        return reports.get(tx, report.duplicate_of_id).case_id
    return report.case_id


def _in_headers(case: Known, recipient: int, headers: Sequence[Headers], phrases: Sequence[str]) -> Iterator[Finding]:
    """All of them as one text, a line each: a search costs what it costs however short the text is."""
    fields = list(dict.fromkeys(_without(field, phrases) for one in headers for field in _fields(one)))
    text = "\n".join(" ".join(value.split()) for _, value in fields)
    for one in in_text(case, text, recipient, ""):
        line = int(one.where.rpartition(" ")[2])
        yield Finding(one.kind, one.owner, f"the header {fields[line - 1][0]}", one.hard)


def _phrases(tools: Tools, name: str) -> Sequence[str]:
    """The pieces of a subject that are its own text: no word of them is anybody's name."""
    text = tools.texts.get(name)
    return [one.strip() for one in re.split(r"\$\{?\w+\}?", text.subject) if " " in one.strip()] if text else []


def _without(field: tuple[str, str], phrases: Sequence[str]) -> tuple[str, str]:
    name, value = field
    for phrase in phrases if name == "Subject" else ():
        value = value.replace(phrase, ";", 1)
    return name, value


def _in_threads(case: Known, recipient: int, headers: Sequence[Headers]) -> Iterator[Finding]:
    """Message-IDs that say nothing in a text, and all where an id is meant."""
    for header in headers[:1] if case.odd else ():
        for name, ids in (("In-Reply-To", [header.in_reply_to]), ("References", header.references)):
            for owners in (case.odd.get(one.strip("<>"), frozenset()) for one in ids):
                if owners and recipient not in owners:
                    yield Finding(Kind.MESSAGE_ID, min(owners), f"the header {name}", hard=True)


def recipient_of(tx: Connection, address: str, participant_id: int | None) -> int:
    """The organisation it goes to; `STRANGER` when it is none's: whoever reports something without taking part."""
    if participant_id is not None:
        return identities.organisation(tx, participant_id)
    speaker = contacts.speakers(tx, [address.casefold()]).get(address.casefold())
    return (speaker.organisation_id if speaker else None) or STRANGER


def _fields(headers: Headers) -> Iterator[tuple[str, str]]:
    yield "From", f"{headers.sender_name} <{headers.sender}>"
    yield "To", headers.to
    yield "Reply-To", headers.reply_to
    yield "Subject", headers.subject
    yield "Message-ID", headers.message_id
    yield "In-Reply-To", headers.in_reply_to
    yield "References", " ".join(headers.references)


def _harmless(tools: Tools, case: Known, name: str, body: str) -> set[Needle]:
    """Names that are words of the letter's own text, and stand nowhere but there: they say nothing of anybody."""
    if name not in case.fixed:
        case.fixed[name] = list(_fixed(tools, case, name))
    folded = disguises.fold(body) if case.fixed[name] else ""
    meant: Counter[Needle] = Counter()
    for piece, needle, times in case.fixed[name]:
        meant[needle] += times * len(piece.findall(folded))
    said = _counted(case, body) if meant else Counter()
    return {needle for needle, times in meant.items() if said[needle] <= times}


def _fixed(tools: Tools, case: Known, name: str) -> Iterator[Fixed]:
    """The pieces of a letter's own text between its placeholders in which somebody's name is a word, and how often."""
    text = tools.texts.get(name)  # a letter may have been queued by a former version, under a name that is gone
    for piece in (one for whole in (text.body, *INSERTED) for one in _BETWEEN.split(whole)) if text else ():
        words = disguises.fold(piece).split()
        pattern = re.compile(r"\s+".join(map(re.escape, words)))
        for needle, times in _counted(case, piece).items():
            alone = leaks.compact(needle.text) == "".join(words)  # then it could be anybody's word
            if needle.kind in (Kind.NAME, Kind.PERSON, Kind.REFERENCE) and not alone:
                yield pattern, needle, times


_BETWEEN = re.compile(r"\$\{?\w+\}?|\n{2,}")


def _counted(case: Known, text: str) -> Counter[Needle]:
    return Counter(hit.needle for hits in case.index.scan([disguises.Reading(text)]) for hit in hits)


def _in_texts(
    case: Known, recipient: int, texts: Mapping[str, str], harmless: Collection[Needle] = frozenset()
) -> Iterator[Finding]:
    for where, text in texts.items():
        for one in in_text(case, text, recipient, where, harmless):
            yield one if where == BODY else _replaced(one, where)


def _replaced(one: Finding, where: str) -> Finding:
    return Finding(one.kind, one.owner, where, one.hard)  # of one line: no number says more


def _in_files(case: Known, recipient: int, files: Sequence[Carried]) -> Iterator[Finding]:
    for number, carried in enumerate(files, 1):
        yield from _in_texts(case, recipient, {f"the name of attachment {number}": carried.file.name})
        yield from leaks.findings(case.index, _scan(case, carried), recipient, f"attachment {number}")
        if is_closed(carried.file.content):
            yield Finding(Kind.CLOSED, NOBODY, f"attachment {number}", hard=False)


def _scan(case: Known, carried: Carried) -> Scan:
    kept = case.files.get(carried.digest) if carried.digest else None
    if kept is None:
        scan = case.index.scan(disguises.of_bytes(carried.file.content))
        if carried.digest:
            case.files[carried.digest] = scan
            sought.bound(case.files, MOST_FILES)
        return scan
    return kept


_CLOSED = (  # how the files begin that hold others: they are not opened
    b"PK\x03\x04", b"PK\x05\x06", b"%PDF", b"\xd0\xcf\x11\xe0", b"7z\xbc\xaf", b"Rar!", b"\x1f\x8b", b"BZh",
    b"\xfd7zXZ", b"\x28\xb5\x2f\xfd", b"MSCF", b"{\\rtf", b"\x04\x22\x4d\x18",
)  # fmt: skip


def is_closed(content: bytes) -> bool:
    """Whether it holds what cannot be searched: an archive, an Office file, a PDF (which may begin with something)."""
    return content.startswith(_CLOSED) or b"%PDF" in content[:1024] or content[257:262] == b"ustar"


# ---- in words -------------------------------------------------------------------------------------------------------


def words(found: Sequence[Finding], called: Mapping[int, str]) -> str:
    """`an address of Vendor KTRV (the body, line 3)`, the first few: they say nothing a letter must not say."""
    told = [
        f"{one.kind} ({one.where})" if one.kind is Kind.CLOSED else
        f"{one.kind} of {called.get(one.owner, 'another')} ({one.where})"
        for one in found[:MOST_TOLD]
    ]  # fmt: skip
    more = len(found) - MOST_TOLD
    return "; ".join([*told, f"and {more} more" if more > 0 else ""]).removesuffix("; ")


def title(tx: Connection, tools: Tools, letter: Letter, text: str) -> str:
    """The title of a case as this letter's recipient may read it; '' when it tells of anybody else, or is what a hidden
    reporter called it: a person gives it another.
    """
    if letter.case_id is None or letter.participant_id is None:
        return ""
    case = known(tx, tools, letter.case_id)
    recipient = recipient_of(tx, letter.recipient, letter.participant_id)
    if case.titles.get(text, recipient) != recipient:
        return ""
    return "" if any(_in_texts(case, recipient, {"the title": text})) else text


@dataclass(frozen=True, slots=True)
class Preview:
    """What somebody wrote, and would tell of others."""

    found: Sequence[Finding]
    called: Mapping[int, str]

    @property
    def words(self) -> str:
        """See `words`; '' when there is nothing."""
        return words(self.found, self.called)


def preview(
    tx: Connection, tools: Tools, case_id: int, organisations: Iterable[int], text: str, files: Sequence[Attachment],
    quoted: str = "",
) -> Preview:  # fmt: skip
    """What this text with these files would tell its recipients of each other and of the rest. Of what is `quoted`,
    only what is hard.
    """
    case, carried = known(tx, tools, case_id), [Carried(file) for file in files]
    found: dict[Finding, None] = {}
    for recipient in dict.fromkeys(organisations):
        found |= dict.fromkeys(_in_texts(case, recipient, {BODY: text}))
        found |= dict.fromkeys(one for one in _in_texts(case, recipient, {"the quoted mail": quoted}) if one.hard)
        found |= dict.fromkeys(_in_files(case, recipient, carried))
    return Preview(list(found), case.called)
