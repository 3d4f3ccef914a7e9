"""What is looked for in all that leaves: what the database knows of a case's people, and what reports say of theirs.

Promises: it is made once for a case and all its letters, and again as soon as anything of it changes; what was
decrypted is kept in memory only; whoever is in no case is known by their addresses.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine

from mailrouter.case.standing import Standing
from mailrouter.case.standing import parse as standing
from mailrouter.mail import needles, parse, reportform
from mailrouter.mail.leaks import OURS, Index, Kind, Needle, Scan
from mailrouter.mail.ownaddress import reply_token
from mailrouter.store import contacts, identities, secret
from mailrouter.store.identities import Party, Sent, Told
from mailrouter.tools import Tools

STRANGER = -2  # a reporter who takes no part yet
THIRD = -3  # who else wrote about a report
LARGEST_HEAD = 64 * 1024  # bytes of a mail in which its From is looked for
LONGEST_CONTACT = 2000  # characters of what a reporter says of themselves
MOST_CASES = 4  # whose needles are kept
MOST_MAILS = 5_000  # whose names are kept

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
    bound(kept, MOST_CASES)
    return found


def of_all_cases(tx: Connection, tools: Tools) -> Known:
    """For a letter of no case: the addresses of whoever is hidden in any."""
    hidden: dict[int, list[str]] = {}
    for owner, address in identities.hidden(tx):
        hidden.setdefault(owner, []).append(address)
    theirs = (needles.Known(owner, anonymous=True, addresses=some) for owner, some in hidden.items())
    return Known((), Index([*_ours(tools), *(needle for one in theirs for needle in needles.of(one))]), {})


def bound(kept: dict[Any, Any], most: int) -> None:
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


def unread_of_case(tx: Connection, tools: Tools, case_id: int) -> list[tuple[int, int]]:
    """Reports whose mails must be opened before anything is searched, and these mails: they may be encrypted."""
    kept = _CONTACTS.setdefault(tools.db.engine, {})
    told = identities.told(tx, case_id)
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
        bound(kept, MOST_MAILS)
    return found
