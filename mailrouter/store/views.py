"""What showing needs and nothing else does: a case with all that belongs to it, organisations with all of theirs.

A few queries each, however many rows there are. Nothing here changes anything.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from sqlalchemy import Connection, func, select

from mailrouter.case.model import GOES_ON, Case, Deadline, DeadlineKind, Participant, Statement, Waiting
from mailrouter.case.terms import Terms
from mailrouter.store import (
    cases,
    contacts,
    descriptions,
    drafts,
    proposals,
    relays,
    statements,
    terms,
    vouchers,
    vulnerabilities,
)
from mailrouter.store import messages as mail
from mailrouter.store.contacts import Contact, Organisation, PinnedKey
from mailrouter.store.descriptions import Description
from mailrouter.store.drafts import ShownDraft
from mailrouter.store.messages import Message
from mailrouter.store.proposals import Proposal
from mailrouter.store.relays import Relay
from mailrouter.store.tables import cases as case_table
from mailrouter.store.tables import contacts as contact_table
from mailrouter.store.tables import domains, letters, messages, organisations, participants, pinned_keys, queue_items
from mailrouter.store.vulnerabilities import VendorStatus, Vulnerability

# ---- a case --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of a letter of ours; without its bytes."""

    id: int
    name: str
    state: str  # queued | sent | held | failed | withdrawn
    why: str
    automatic: bool
    asks: bool
    signed: bool
    encrypted: bool
    attempts: int
    sent_at: datetime | None


@dataclass(frozen=True)
class CaseFile:
    """One case with all that belongs to it, as it stood at one moment."""

    case: Case
    participants: Sequence[Participant]
    messages: Sequence[Message]  # mails, letters and conversations, in the order they came and went
    remarks: Sequence[Message]
    letters: Mapping[int, Sent]  # by letter id
    statements: Sequence[Statement]
    vouched: Mapping[int, vouchers.Voucher]  # by statement id: who said that it is theirs, where no signature does
    deadlines: Sequence[Deadline]
    description: Description | None  # the newest
    elsewhere: Sequence[Message]  # mails that name the case and wait for a person's decision
    vulnerabilities: Sequence[Vulnerability]
    statuses: Mapping[int, Sequence[VendorStatus]]  # by participant id: what they say of each, where they said it
    merged_into: int | None = None  # VU number of the case that goes on in its place
    relays: Sequence[Relay] = ()  # what was passed on of one participant's mail to another
    proposals: Sequence[Proposal] = ()  # what mails say, and nobody has decided about
    terms: Sequence[Terms] = ()  # the dates of its embargo, by number
    drafts: Mapping[int, ShownDraft] = field(default_factory=dict)  # by participant id: the draft they were shown last

    def participant(self, participant_id: int | None) -> Participant | None:
        """By id."""
        return self._by_id.get(participant_id)

    def next_deadline(
        self, participant: Participant | None = None, kind: DeadlineKind | None = None
    ) -> Deadline | None:
        """The open one that falls due first, of one participant or of the case; of one kind or of any."""
        coming = self._coming if participant is None else self._coming_of.get(participant.id, ())
        return next((d for d in coming if kind in (None, d.kind)), None)

    @cached_property
    def _coming(self) -> Sequence[Deadline]:
        return [d for d in self.deadlines if d.done_at is None]

    @cached_property
    def _coming_of(self) -> Mapping[int | None, Sequence[Deadline]]:
        found = defaultdict(list)
        for one in self._coming:
            found[one.participant_id].append(one)
        return found

    @cached_property
    def _by_id(self) -> Mapping[int | None, Participant]:
        return {p.id: p for p in self.participants}


def case_file(tx: Connection, vu: int) -> CaseFile:
    """All of one case; `NotFound` if there is none."""
    case = cases.by_vu(tx, vu)
    everything = mail.of_case(tx, case.id)
    stated = statements.of_case(tx, case.id)
    return CaseFile(
        case=case,
        participants=cases.participants_of(tx, [case.id]),
        messages=[m for m in everything if m.direction != "remark"],
        remarks=[m for m in everything if m.direction == "remark"],
        letters={sent.id: sent for sent in _letters(tx, case.id)},
        statements=stated,
        vouched=vouchers.made_stand(tx, [one.id for one in stated]) if stated else {},
        deadlines=cases.deadlines_of(tx, case.id),
        description=descriptions.newest(tx, case.id),
        elsewhere=_elsewhere(tx, case),
        relays=relays.of_case(tx, case.id),
        proposals=proposals.listed(tx, case.id),
        terms=terms.of_case(tx, case.id),
        drafts={one.participant_id: one for one in drafts.of_case(tx, case.id)},
        vulnerabilities=vulnerabilities.of_case(tx, case.id),
        statuses=_statuses(tx, case),
        merged_into=cases.get(tx, case.merged_into_id).vu if case.merged_into_id else None,
    )


def _statuses(tx: Connection, case: Case) -> dict[int, list[VendorStatus]]:
    found: dict[int, list[VendorStatus]] = defaultdict(list)
    for one in vulnerabilities.statuses(tx, [case.id]):
        found[one.participant_id].append(one)
    return dict(found)


def _letters(tx: Connection, case_id: int) -> list[Sent]:
    columns = [letters.c[name] for name in Sent.__dataclass_fields__]
    return [Sent(*row) for row in tx.execute(select(*columns).where(letters.c.case_id == case_id))]


def _elsewhere(tx: Connection, case: Case) -> list[Message]:
    """Open items of no case whose mail names this one, or one that was merged into it."""
    numbers = select(case_table.c.vu).where((case_table.c.id == case.id) | (case_table.c.merged_into_id == case.id))
    wanted = (
        select(messages)
        .join(queue_items, queue_items.c.message_id == messages.c.id)
        .where(queue_items.c.done_at.is_(None), messages.c.case_id.is_(None), messages.c.claimed_vu.in_(numbers))
        .order_by(messages.c.id)
    )
    return [Message(*row) for row in tx.execute(wanted)]


# ---- whose turn ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Turn:
    """A participant who waits on us."""

    vu: int
    title: str
    participant: str
    last_heard_at: datetime | None


def our_turns(tx: Connection, analyst_id: int | None) -> list[Turn]:
    """Who waits on us in cases that go on, of one analyst (None: of nobody), longest first."""
    wanted = (
        select(case_table.c.vu, case_table.c.title, organisations.c.name, participants.c.last_heard_at)
        .join(participants, participants.c.case_id == case_table.c.id)
        .join(organisations, organisations.c.id == participants.c.organisation_id)
        .where(case_table.c.state.in_(GOES_ON), participants.c.waiting_on == str(Waiting.US))
        .where(case_table.c.analyst_id == analyst_id)
        .order_by(participants.c.last_heard_at, participants.c.id)
    )
    return [Turn(*row) for row in tx.execute(wanted)]


def letters_by_state(tx: Connection) -> dict[str, int]:
    """How many letters are queued, sent, held, ..."""
    found = tx.execute(select(letters.c.state, func.count().label("n")).group_by(letters.c.state))
    return {row.state: row.n for row in found}


# ---- organisations -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Vendor:
    """An organisation with all we know of it. Keys: the retired ones too."""

    organisation: Organisation
    contacts: Sequence[Contact]
    domains: Sequence[str]
    keys: Sequence[PinnedKey]


def vendors(tx: Connection, wanted: Iterable[Organisation]) -> list[Vendor]:
    """These organisations, in their order, with three queries."""
    reached: dict[int, list[Contact]] = defaultdict(list)
    for row in tx.execute(select(contact_table).order_by(contact_table.c.rank)):
        reached[row.organisation_id].append(Contact(*row))
    named: dict[int, list[str]] = defaultdict(list)
    for row in tx.execute(select(domains).order_by(domains.c.domain)):
        named[row.organisation_id].append(row.domain)
    keys: dict[int, list[PinnedKey]] = defaultdict(list)
    for row in tx.execute(select(pinned_keys).order_by(pinned_keys.c.id)):
        keys[row.organisation_id].append(PinnedKey(*row))
    return [Vendor(o, reached[o.id], named[o.id], keys[o.id]) for o in wanted]


def vendor(tx: Connection, organisation: Organisation) -> Vendor:
    """One organisation."""
    mine = organisation.id
    return Vendor(
        organisation, contacts.contacts_of(tx, mine), contacts.domains_of(tx, mine),
        contacts.keys_of(tx, [mine], retired=True),
    )  # fmt: skip


def cases_with(tx: Connection, organisation_id: int) -> list[tuple[int, str, str]]:
    """The cases an organisation takes part in: VU#, state, role."""
    wanted = (
        select(case_table.c.vu, case_table.c.state, participants.c.roles)
        .join(participants, participants.c.case_id == case_table.c.id)
        .where(participants.c.organisation_id == organisation_id)
        .order_by(case_table.c.id)
    )
    return [(row.vu, row.state, row.roles.replace(" ", ", ")) for row in tx.execute(wanted)]
