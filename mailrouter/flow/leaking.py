"""What a letter would tell of others: searched for in everything that leaves, by what the database knows of them.

Promises: what is hard never leaves by itself, whoever wrote it; what is soft only a person lets go; what is said of it
names nobody but by pseudonym, and never repeats the text. What is looked for is made once for a case and all its
letters, and again as soon as anything of it changes.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine

from mailrouter.case import accept, contacting, embargo, followup
from mailrouter.case.standing import Standing
from mailrouter.case.standing import parse as standing
from mailrouter.mail import disguises, leaks, needles, parse, reportform, texts
from mailrouter.mail.compose import Headers
from mailrouter.mail.entity import Attachment
from mailrouter.mail.leaks import OURS, Finding, Index, Kind, Needle, Scan
from mailrouter.mail.ownaddress import reply_token
from mailrouter.store import acknowledgements, contacts, identities, reports, secret
from mailrouter.store.identities import Party, Sent, Told
from mailrouter.store.outbox import Letter
from mailrouter.tools import Tools

BODY = "the body"
NOBODY = -1  # a recipient who is no organisation
STRANGER = -2  # a reporter who takes no part yet
THIRD = -3  # who else wrote about a report
LARGEST_HEAD = 64 * 1024  # bytes of a mail in which its From is looked for
LONGEST_CONTACT = 2000  # characters of what a reporter says of themselves
MOST_CASES = 4  # whose needles are kept
MOST_FILES = 200  # of a case, whose searches are kept
MOST_MAILS = 5_000  # whose names are kept
MOST_TOLD = 5  # findings of one letter that are named one by one

# What our own code puts into letters: as little anybody's name as the letters' own texts are.
INSERTED = (
    texts.ANSWER_FORM, *contacting.SENTENCES, *accept.SENTENCES, *embargo.SENTENCES, *followup.SENTENCES,
)  # fmt: skip

MEANT = "write it anew, or give the command again with --names-ok if that is meant"
WRITTEN_ANEW = "write it anew, or `mailrouter outbox release {} --despite-leak --why …` if that is meant"


Fixed = tuple[re.Pattern[str], Needle, int]  # a piece of a text, a name in it, and how often


@dataclass(slots=True)
class Known:
    """What is looked for in letters of one case, and what was found in what many of them carry."""

    stamp: tuple[object, ...]
    index: Index
    called: Mapping[int, str]  # organisation -> pseudonym
    titles: Mapping[str, int] = field(default_factory=dict)  # in the words of a hidden reporter -> whose
    odd: Mapping[str, frozenset[int]] = field(default_factory=dict)  # Message-IDs that only are compared -> whose
    files: dict[str, Scan] = field(default_factory=dict)  # digest -> what it says
    fixed: dict[str, list[Fixed]] = field(default_factory=dict)  # name of a letter -> which names its own text says


@dataclass(frozen=True, slots=True)
class Carried:
    """A file that goes along, and its SHA-256, if it is kept."""

    file: Attachment
    digest: str = ""


_KEPT: WeakKeyDictionary[Engine, dict[int, Known]] = WeakKeyDictionary()
_CONTACTS: WeakKeyDictionary[Engine, dict[int, str]] = WeakKeyDictionary()  # report -> the contact it gives
_PEOPLE: WeakKeyDictionary[Engine, dict[tuple[int, str], Sequence[str]]] = (
    WeakKeyDictionary()
)  # mail -> names in its From


def known(tx: Connection, tools: Tools, case_id: int) -> Known:
    """What is looked for in letters of this case, as it stands now."""
    kept = _KEPT.setdefault(tools.db.engine, {})
    rows = identities.parties(tx, case_id)
    told = _said(tx, tools, case_id)
    stamp = (identities.stamp(tx, case_id), tools.settings.identity, rows, told)
    found = kept.pop(case_id, None)
    if found is None or found.stamp != stamp:
        parties = [Party(*row) for row in rows]
        mails = _mails(tx, parties, case_id)
        tellers = list(_tellers(tx, parties, case_id, told))
        of_forms = (needle for owner, _, contact in tellers for needle in needles.of_contact(owner, contact))
        searched = [*_needles(tx, tools, case_id, parties, mails), *of_forms]
        titles = {one.title: owner for owner, one, _ in tellers}
        found = Known(stamp, Index(searched), _called(parties), titles, _odd(mails))
    kept[case_id] = found
    _bound(kept, MOST_CASES)
    return found


def _bound(kept: dict[Any, Any], most: int) -> None:
    """Forgets the oldest. Other threads may do so at the same time: what is gone is gone."""
    for one in list(kept)[: max(len(kept) - most, 0)]:
        kept.pop(one, None)


def _called(parties: Iterable[Party]) -> dict[int, str]:
    called: dict[int, str] = {STRANGER: "the reporter", THIRD: "another sender"}
    for one in parties:
        called.setdefault(one.organisation_id, one.pseudonym)
    return called


# ---- what must not be said ------------------------------------------------------------------------------------------


Mails = Sequence[tuple[int, Sent]]  # whose each is


def _needles(tx: Connection, tools: Tools, case_id: int, parties: Sequence[Party], mails: Mails) -> Iterator[Needle]:
    yield from _ours(tools)
    hidden = {one.organisation_id for one in parties if one.anonymous}
    ids = {one.organisation_id for one in parties}
    reporter = _reporter(tx, parties, case_id)
    theirs: dict[int, dict[str, list[str]]] = {one: {} for one in (*ids, STRANGER, THIRD)}
    _gather(theirs, "addresses", identities.addresses(tx, ids))
    _gather(theirs, "addresses", ((reporter, a) for a in identities.reporters(tx, case_id)))
    _gather(theirs, "domains", identities.mail_domains(tx, ids))
    _gather(theirs, "keys", identities.keys(tx, ids))
    _gather(theirs, "user_ids", identities.user_ids(tx, hidden))
    for owner, one in mails:
        _gather(theirs, "message_ids", [(owner, one.message_id.strip("<>"))])
        if one.direction == "in":
            _gather(theirs, "addresses", [(owner, one.sender)])
            if owner in hidden and one.mail_id is not None:
                _gather(theirs, _proved(one), ((owner, name) for name in _people(tx, tools, one)))
    for party in parties:
        _gather(theirs, "names", [(party.organisation_id, party.name)])
        _gather(theirs, "references", [(party.organisation_id, party.their_ref)])
        _gather(theirs, "telephones", [(party.organisation_id, party.telephone)])
    _gather(theirs, "replies", _replies(tx, parties, case_id))
    for owner, what in theirs.items():
        yield from needles.of(needles.Known(owner, owner in hidden, **what))


def _gather(theirs: dict[int, dict[str, list[str]]], what: str, rows: Iterable[Sequence[object]]) -> None:
    for owner, text in rows:
        if text:
            theirs[int(str(owner))].setdefault(what, []).append(str(text))


def _ours(tools: Tools) -> Iterator[Needle]:
    """What is ours may stand anywhere, and what stands in it too."""
    identity = tools.settings.identity
    for address in (identity.address, *identity.also):
        yield Needle(Kind.ADDRESS, OURS, address, hard=False)
        yield Needle(Kind.DOMAIN, OURS, address.rpartition("@")[2], hard=False)
    if identity.operator:
        yield Needle(Kind.ADDRESS, OURS, identity.operator, hard=False)
    yield Needle(Kind.NAME, OURS, identity.name, hard=False)


def _reporter(tx: Connection, parties: Sequence[Party], case_id: int) -> int:
    """Whose mail of a report is that is no participant's: who has the address, else the one reporter there is, else
    somebody nobody knows yet.
    """
    speakers = contacts.speakers(tx, [a.casefold() for a in identities.reporters(tx, case_id)])
    ids = {one.organisation_id for one in parties}
    named = ids & {s.organisation_id for s in speakers.values() if s.organisation_id is not None}
    found = named or {one.organisation_id for one in parties if "reporter" in one.roles.split()}
    return found.pop() if len(found) == 1 else STRANGER


def _mails(tx: Connection, parties: Sequence[Party], case_id: int) -> Mails:
    """A participant's, the reporter's, or of somebody else who wrote about the report."""
    sent, reporter = identities.sent(tx, case_id), _reporter(tx, parties, case_id)
    addresses = {address.casefold() for address in identities.reporters(tx, case_id)}
    domains = needles.domains_of(addresses)
    unfiled = {one.sender.casefold() for one in sent if one.organisation_id is None and one.direction == "in"}
    speakers = contacts.speakers(tx, unfiled - addresses)
    ids = {one.organisation_id for one in parties}

    def whose(one: Sent) -> int:
        sender = one.sender.casefold()
        if one.organisation_id is not None or one.direction != "in" or sender in addresses:
            return one.organisation_id or reporter
        speaker = speakers.get(sender)
        if speaker is not None and speaker.organisation_id in ids:
            return speaker.organisation_id or THIRD
        return reporter if sender.rpartition("@")[2] in domains else THIRD

    return [(whose(one), one) for one in sent]


def _odd(mails: Mails) -> Mapping[str, frozenset[int]]:
    """What would be found in any text as a Message-ID: whoever writes to us chooses theirs."""
    found: dict[str, frozenset[int]] = {}
    for owner, one in mails:
        name = one.message_id.strip("<>")
        if name and not needles.tells(name):
            found[name] = found.get(name, frozenset()) | {owner}
    return found


# ---- what reporters say of themselves -------------------------------------------------------------------------------

Said = tuple[tuple[Told, str], ...]  # reports of hidden reporters, and what their forms give as contact


def _said(tx: Connection, tools: Tools, case_id: int) -> Said:
    """A typed-in report is at hand; one that came by mail is once `remember` was told of it."""
    kept = _CONTACTS.setdefault(tools.db.engine, {})
    told = identities.told(tx, case_id)
    for one in told:
        if one.message_id is None and one.id not in kept:
            remember(tools, one.id, one.text)
    return tuple((one, kept.get(one.id, "")) for one in told)


def unread(tx: Connection, tools: Tools, letter: Letter) -> list[tuple[int, int]]:
    """Reports whose mails must be opened before the letter is searched, and these mails: they may be encrypted."""
    case_id = _case_of(tx, letter)
    kept = _CONTACTS.setdefault(tools.db.engine, {})
    told = identities.told(tx, case_id) if case_id is not None else []
    return [(one.id, one.message_id) for one in told if one.message_id is not None and one.id not in kept]


def remember(tools: Tools, report_id: int, text: str) -> None:
    """What a report says as its contact: in memory only, like everything that was decrypted."""
    _CONTACTS.setdefault(tools.db.engine, {})[report_id] = reportform.read(text).fields.get("contact", "")[
        :LONGEST_CONTACT
    ]


def _tellers(tx: Connection, parties: Sequence[Party], case_id: int, told: Said) -> Iterator[tuple[int, Told, str]]:
    """Whose each report is, and its contact; not of reporters of whom an analyst said that they are hidden no more."""
    open_ = {party.organisation_id for party in parties if not party.anonymous}
    for one, contact in told:
        owner = _teller(tx, parties, case_id, one)
        if owner not in open_:
            yield owner, one, contact


def _teller(tx: Connection, parties: Sequence[Party], case_id: int, one: Told) -> int:
    address = one.address.casefold()
    speaker = contacts.speakers(tx, [address]).get(address)
    ids = {party.organisation_id for party in parties}
    known = speaker.organisation_id if speaker else None
    return known if known is not None and known in ids else _reporter(tx, parties, case_id)


def _proved(one: Sent) -> str:
    """Which names in its From those are: a mail that may be anybody's stops no letter by what it calls its sender."""
    return "people" if one.reports or standing(one.standing) >= Standing.AUTHENTICATED else "claimed"


def _replies(tx: Connection, parties: Iterable[Party], case_id: int) -> Iterator[tuple[int, str]]:
    """Whoever knows where another answers us may write there; a merge leaves the addresses as they were."""
    made, numbers = secret.known(tx), identities.numbers(tx, case_id)
    for one in parties if made is not None else ():
        for number in numbers.values():
            yield one.organisation_id, reply_token(made or b"", number, one.participant_id)


def _people(tx: Connection, tools: Tools, sent: Sent) -> Sequence[str]:
    """Its names, kept by number and Message-ID: a number that was rolled back comes again as another mail's."""
    kept = _PEOPLE.setdefault(tools.db.engine, {})
    key = (sent.mail_id or 0, sent.message_id)
    found = kept.get(key)
    if found is None:
        read = parse.mail(identities.head(tx, key[0], LARGEST_HEAD))
        kept[key] = found = tuple(dict.fromkeys(one.name for one in read.sender if one.name))
        _bound(kept, MOST_MAILS)
    return found


# ---- a letter that is about to leave --------------------------------------------------------------------------------


def concerns(letter: Letter) -> bool:
    """Whether it goes to a participant or a reporter: our own staff may know, and an acknowledgement says nothing."""
    return letter.name != acknowledgements.NAME and (letter.participant_id is not None or letter.report_id is not None)


def of_letter(
    tx: Connection, tools: Tools, letter: Letter, headers: Sequence[Headers], files: Sequence[Carried]
) -> tuple[list[Finding], Mapping[int, str]]:
    """What it tells of others, hard and soft, and how those are called. `headers`: inside and outside."""
    if not concerns(letter):
        return [], {}
    case_id = _case_of(tx, letter)
    case = known(tx, tools, case_id) if case_id is not None else _of_all_cases(tx, tools)
    recipient = recipient_of(tx, letter.recipient, letter.participant_id)
    harmless = _harmless(tools, case, letter.name, letter.body)
    found = [
        *_in_headers(case, recipient, headers, _phrases(tools, letter.name)),
        *_in_threads(case, recipient, headers),
        *_in_texts(case, recipient, {BODY: letter.body}, harmless),
        *_in_files(case, recipient, files),
    ]
    return found, case.called


def _case_of(tx: Connection, letter: Letter) -> int | None:
    """Its own, that of the report it is about, or of the report that this one repeats."""
    if letter.case_id is not None or letter.report_id is None:
        return letter.case_id
    report = reports.get(tx, letter.report_id)
    if report.case_id is None and report.duplicate_of_id is not None:
        return reports.get(tx, report.duplicate_of_id).case_id
    return report.case_id


def _of_all_cases(tx: Connection, tools: Tools) -> Known:
    """For a letter of no case: the addresses of whoever is hidden in any."""
    hidden: dict[int, list[str]] = {}
    for owner, address in identities.hidden(tx):
        hidden.setdefault(owner, []).append(address)
    theirs = (needles.Known(owner, anonymous=True, addresses=some) for owner, some in hidden.items())
    return Known((), Index([*_ours(tools), *(needle for one in theirs for needle in needles.of(one))]), {})


def _in_headers(case: Known, recipient: int, headers: Sequence[Headers], phrases: Sequence[str]) -> Iterator[Finding]:
    """All of them as one text, a line each: a search costs what it costs however short the text is."""
    fields = list(dict.fromkeys(_without(field, phrases) for one in headers for field in _fields(one)))
    text = "\n".join(" ".join(value.split()) for _, value in fields)
    for one in leaks.findings(case.index, case.index.scan(disguises.readings(text)), recipient, ""):
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
    """The organisation it goes to; `NOBODY` when it is none's."""
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
        for one in leaks.findings(case.index, case.index.scan(disguises.readings(text)), recipient, where, harmless):
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
            _bound(case.files, MOST_FILES)
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
