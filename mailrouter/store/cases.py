"""Cases, their participants and their deadlines."""

import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, bindparam, func, insert, select, update

from mailrouter import faults
from mailrouter.case import pseudonym
from mailrouter.case.model import GOES_ON, Case, Deadline, DeadlineKind, Participant, Waiting
from mailrouter.store import upsert, vulnerabilities
from mailrouter.store.tables import analysts, cases, deadlines, letters, organisations, participants

_CASE: Select[Any] = (
    select(
        cases.c.id, cases.c.vu, cases.c.title, cases.c.state, cases.c.analyst_id, func.coalesce(analysts.c.name, ""),
        cases.c.urgent, cases.c.opened_at, cases.c.closed_at, cases.c.embargo, cases.c.embargo_ends_at,
        cases.c.first_contact_at, cases.c.planned_at, cases.c.policy, cases.c.merged_into_id,
        cases.c.public_at, cases.c.exploit_public_at, cases.c.attacks_at, cases.c.published_at,
        cases.c.not_published_at, cases.c.share_ordered_by,
    ).join(analysts, cases.c.analyst_id == analysts.c.id, isouter=True)
)  # fmt: skip
_LOCKED = _CASE.where(cases.c.id.in_(bindparam("ids", expanding=True))).order_by(cases.c.id).with_for_update(of=cases)


# ---- cases ----------------------------------------------------------------------------------------------------------


def open_case(tx: Connection, title: str, now: datetime, **more: Any) -> Case:
    """A new case under a random free VU# (or `vu`, `Refused` if taken); its `.1` has the case's title."""
    vu = more.pop("vu", None) or _free_number(tx)
    if tx.execute(select(cases.c.id).where(cases.c.vu == vu)).first():
        raise faults.Refused(f"VU#{vu} exists already")
    row = {"vu": vu, "title": title, "opened_at": now, **more}
    case_id = tx.execute(insert(cases).returning(cases.c.id), row).scalar_one()
    vulnerabilities.add(tx, case_id, title, now)
    return get(tx, case_id)


def _free_number(tx: Connection) -> int:
    while True:
        vu = 100_000 + secrets.randbelow(900_000)
        if not tx.execute(select(cases.c.id).where(cases.c.vu == vu)).first():
            return vu


def get(tx: Connection, case_id: int) -> Case:
    """By id."""
    return Case(*tx.execute(_CASE.where(cases.c.id == case_id)).one())


def by_vu(tx: Connection, vu: int) -> Case:
    """By number; `NotFound` says so."""
    row = tx.execute(_CASE.where(cases.c.vu == vu)).first()
    if row is None:
        raise faults.NotFound(f"no case VU#{vu}")
    return Case(*row)


def ids_by_vu(tx: Connection, numbers: Iterable[int]) -> dict[int, int]:
    """The cases these numbers lead to: vu -> id. A merged case's leads to the one that goes on in its place."""
    wanted = list(set(numbers))
    return {r.vu: r.merged_into_id or r.id for r in tx.execute(_IDS, {"numbers": wanted})} if wanted else {}


_IDS = select(cases.c.vu, cases.c.id, cases.c.merged_into_id).where(
    cases.c.vu.in_(bindparam("numbers", expanding=True))
)


def stands_for(tx: Connection, numbers: Iterable[int]) -> list[tuple[int, int, int]]:
    """Of merged cases with these numbers: (vu, participant that stayed behind, who it is in the case that goes on)."""
    former, now = participants.alias(), participants.alias()
    same = (now.c.case_id == cases.c.merged_into_id) & (now.c.organisation_id == former.c.organisation_id)
    wanted = (
        select(cases.c.vu, former.c.id, now.c.id)
        .join(former, former.c.case_id == cases.c.id)
        .join(now, same)
        .where(cases.c.vu.in_(list(numbers)))
    )
    return [tuple(row) for row in tx.execute(wanted)]


def some(tx: Connection, case_ids: Iterable[int]) -> dict[int, Case]:
    """These cases, by id."""
    wanted = sorted(set(case_ids))
    return {row.id: Case(*row) for row in tx.execute(_SOME, {"ids": wanted})} if wanted else {}


_SOME = _CASE.where(cases.c.id.in_(bindparam("ids", expanding=True)))


def lock(tx: Connection, case_ids: Iterable[int]) -> dict[int, Case]:
    """The cases, held until the transaction ends; always in one order, so that no two verbs wait for each other."""
    wanted = sorted(set(case_ids))
    return {row.id: Case(*row) for row in tx.execute(_LOCKED, {"ids": wanted})} if wanted else {}


def everything(tx: Connection, *, closed: bool = False) -> list[Case]:
    """All cases, newest first; closed and merged ones only if asked for."""
    wanted = _CASE if closed else _CASE.where(cases.c.state.not_in(("closed", "merged")))
    return [Case(*row) for row in tx.execute(wanted.order_by(cases.c.opened_at.desc(), cases.c.id.desc()))]


def change(tx: Connection, case_id: int, **values: Any) -> None:
    """Set columns of one case."""
    tx.execute(update(cases).where(cases.c.id == case_id).values(values))


def publish_ssvc(tx: Connection, case_id: int) -> str:
    """What an analyst answered to SSVC Coordinator Publish: ASCII JSON; '' nothing."""
    return str(tx.execute(select(cases.c.publish_ssvc).where(cases.c.id == case_id)).scalar_one())


# ---- participants ---------------------------------------------------------------------------------------------------

_PARTICIPANT: Select[Any] = select(
    participants.c.id, participants.c.case_id, participants.c.organisation_id, organisations.c.name,
    participants.c.roles,
    participants.c.progress, participants.c.consent, participants.c.waiting_on, participants.c.since,
    participants.c.wait_until, participants.c.last_heard_at, participants.c.last_automatic_at,
    participants.c.follow_ups_sent, participants.c.their_ref, participants.c.anonymous,
    participants.c.clear_text_at, participants.c.clear_text_by, participants.c.pseudonym, participants.c.rm,
    participants.c.aware_at, participants.c.fix_ready_at, participants.c.fix_deployed_at,
    participants.c.fix_expected_at, participants.c.first_contact_at, participants.c.described,
    participants.c.promised, participants.c.credit,
    participants.c.left_at, participants.c.left_why,
).join(organisations)  # fmt: skip
_OF_CASES = _PARTICIPANT.where(participants.c.case_id.in_(bindparam("ids", expanding=True))).order_by(participants.c.id)


def add_participant(tx: Connection, case_id: int, organisation_id: int, role: str, **more: Any) -> Participant:
    """One row per case and organisation; `Refused` if it takes part already. Call with the case locked: each gets a
    pseudonym that nobody else has in it.
    """
    taken = (participants.c.case_id == case_id) & (participants.c.organisation_id == organisation_id)
    if tx.execute(select(participants.c.id).where(taken)).first():
        raise faults.Refused("this organisation is a participant of the case already")
    row = {"case_id": case_id, "organisation_id": organisation_id, "roles": role, **more}
    row["pseudonym"] = new_pseudonym(tx, case_id, role)
    return participant(tx, tx.execute(insert(participants).returning(participants.c.id), row).scalar_one())


def new_pseudonym(tx: Connection, case_id: int, roles: str) -> str:
    """One that nobody has in the case."""
    used = tx.execute(select(participants.c.pseudonym).where(participants.c.case_id == case_id)).scalars()
    return pseudonym.make(roles.split()[0], secrets.choice, set(used))


def of_organisation(tx: Connection, case_id: int, organisation_id: int) -> Participant | None:
    """An organisation's row in a case, whether it still takes part or not."""
    mine = (participants.c.case_id == case_id) & (participants.c.organisation_id == organisation_id)
    row = tx.execute(_PARTICIPANT.where(mine)).first()
    return _participant(row) if row else None


def participant(tx: Connection, participant_id: int) -> Participant:
    """By id."""
    return _participant(tx.execute(_PARTICIPANT.where(participants.c.id == participant_id)).one())


def participants_of(tx: Connection, case_ids: Sequence[int]) -> list[Participant]:
    """All of these cases, those who left too: who sends or judges asks `takes_part`."""
    return [_participant(row) for row in tx.execute(_OF_CASES, {"ids": list(case_ids)})] if case_ids else []


def turns_of_ours(tx: Connection, case_ids: Sequence[int]) -> dict[int, int]:
    """How many participants of each of these cases wait on us; those of whom nobody does are left out."""
    if not case_ids:
        return {}
    return {row.case_id: row.n for row in tx.execute(_OUR_TURNS, {"ids": list(case_ids), "us": str(Waiting.US)})}


_OUR_TURNS = (
    select(participants.c.case_id, func.count().label("n"))
    .where(participants.c.case_id.in_(bindparam("ids", expanding=True)), participants.c.waiting_on == bindparam("us"))
    .group_by(participants.c.case_id)
)


def open_with(tx: Connection, organisation_id: int) -> list[tuple[Case, int]]:
    """The cases that go on in which an organisation takes part, oldest first, each with its participant's id there."""
    taking_part = (participants.c.organisation_id == organisation_id) & participants.c.left_at.is_(None)
    mine = select(participants.c.case_id, participants.c.id).where(taking_part)
    ids = {row.case_id: row.id for row in tx.execute(mine)}
    wanted = _CASE.where(cases.c.id.in_(ids), cases.c.state.in_(GOES_ON)).order_by(cases.c.id)
    return [(Case(*row), ids[row.id]) for row in tx.execute(wanted)] if ids else []


def promised_to(tx: Connection, organisation_id: int) -> list[tuple[int, int]]:
    """The open cases that owe an organisation details, each with its participant's id there."""
    theirs = (participants.c.organisation_id == organisation_id) & participants.c.left_at.is_(None)
    owed = theirs & (participants.c.promised > participants.c.described)
    wanted = select(cases.c.id, participants.c.id).join(participants).where(owed, cases.c.state == "open")
    return [(row[0], row[1]) for row in tx.execute(wanted)]


def correspondents(tx: Connection) -> list[Participant]:
    """Participants of cases that go on to whom a letter has left, those of longest standing first."""
    written = select(letters.c.participant_id).where(letters.c.state == "sent", letters.c.participant_id.is_not(None))
    wanted = _PARTICIPANT.join(cases, participants.c.case_id == cases.c.id).where(
        cases.c.state.in_(GOES_ON), participants.c.id.in_(written), participants.c.left_at.is_(None)
    )
    return [_participant(row) for row in tx.execute(wanted.order_by(participants.c.id))]


def change_participant(tx: Connection, participant_id: int, **values: Any) -> None:
    """Set columns of one participant."""
    change_participants(tx, [{"participant": participant_id, **values}])


def change_participants(tx: Connection, changes: Sequence[dict[str, Any]]) -> None:
    """Set the same columns of several; `participant` says of which."""
    if changes:
        tx.execute(_CHANGE, changes)


_CHANGE = update(participants).where(participants.c.id == bindparam("participant"))  # sets what the parameters name


UNDELIVERABLE = "undeliverable"  # progress: no contact of theirs takes mail


def reachable_again(tx: Connection, organisation_id: int) -> None:
    """A contact of theirs takes mail: where it counted as undeliverable, it has been written to."""
    theirs = (participants.c.organisation_id == organisation_id) & (participants.c.progress == UNDELIVERABLE)
    tx.execute(update(participants).where(theirs).values(progress="contacted"))


def _participant(row: Any) -> Participant:
    values: list[Any] = list(row)
    values[4] = tuple(row.roles.split())
    values[7] = Waiting(row.waiting_on)
    return Participant(*values)


# ---- deadlines ------------------------------------------------------------------------------------------------------


def set_deadline(tx: Connection, row: dict[str, Any]) -> bool:
    """Make a deadline; False if this rung of this series exists already (another node was first)."""
    statement = upsert.into(tx, deadlines).values(row).on_conflict_do_nothing()
    return tx.execute(statement.returning(deadlines.c.id)).first() is not None


def set_clock(tx: Connection, case_id: int, kind: DeadlineKind, since: str, due_at: datetime) -> None:
    """The case's one open row of this kind is at this date; a new rung once the last is done. Call with it locked."""
    mine = (deadlines.c.case_id == case_id) & deadlines.c.participant_id.is_(None) & (deadlines.c.kind == str(kind))
    if tx.execute(update(deadlines).where(mine, deadlines.c.done_at.is_(None)).values(due_at=due_at)).rowcount:
        return
    rung = tx.execute(select(func.count()).select_from(deadlines).where(mine)).scalar_one() + 1
    set_deadline(tx, {"case_id": case_id, "kind": str(kind), "since": since, "rung": rung, "due_at": due_at})


def clock_is_over(tx: Connection, case_id: int, kind: DeadlineKind) -> bool:
    """Whether the case's own clock of this kind ran, and none is still to come."""
    mine = (deadlines.c.case_id == case_id) & deadlines.c.participant_id.is_(None) & (deadlines.c.kind == str(kind))
    done = set(tx.execute(select(deadlines.c.done_at.is_not(None)).where(mine).distinct()).scalars())
    return done == {True}


def close_clocks(tx: Connection, case_id: int, kinds: Sequence[DeadlineKind], now: datetime, outcome: str) -> None:
    """Close what is open of these kinds of the case's own: what it waited for has come or gone."""
    mine = (deadlines.c.case_id == case_id) & deadlines.c.participant_id.is_(None)
    still = deadlines.c.kind.in_([str(kind) for kind in kinds]) & deadlines.c.done_at.is_(None)
    tx.execute(update(deadlines).where(mine, still).values(done_at=now, outcome=outcome))


def set_deadlines(tx: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Make several, with the same columns each; those there are stay as they are."""
    if rows:
        tx.execute(_SET_SOME[tx.dialect.name], rows)


_SET_SOME = upsert.built(deadlines, lambda statement: statement.on_conflict_do_nothing())


def close_deadlines(
    tx: Connection, participant_id: int, kinds: Sequence[DeadlineKind], now: datetime, outcome: str
) -> None:
    """Close what is open of these kinds: what it waited for has come or gone."""
    tx.execute(_CLOSE, {"p": participant_id, "kinds": [str(k) for k in kinds], "at": now, "what": outcome})


_CLOSE = (
    update(deadlines)
    .where(
        deadlines.c.participant_id == bindparam("p"),
        deadlines.c.kind.in_(bindparam("kinds", expanding=True)),
        deadlines.c.done_at.is_(None),
    )
    .values(done_at=bindparam("at"), outcome=bindparam("what"))
)


def clock_runs(tx: Connection, participant_id: int, kind: DeadlineKind) -> bool:
    """Whether one of this kind is still to come."""
    mine = (deadlines.c.participant_id == participant_id) & (deadlines.c.kind == str(kind))
    return tx.execute(select(deadlines.c.id).where(mine, deadlines.c.done_at.is_(None)).limit(1)).first() is not None


def finish_deadline(tx: Connection, deadline_id: int, now: datetime, outcome: str) -> None:
    """This one is done."""
    tx.execute(update(deadlines).where(deadlines.c.id == deadline_id).values(done_at=now, outcome=outcome))


def postpone(tx: Connection, deadline_id: int, due_at: datetime) -> None:
    """Not yet: due later."""
    tx.execute(update(deadlines).where(deadlines.c.id == deadline_id).values(due_at=due_at))


def due(tx: Connection, at: datetime, after: tuple[datetime, int] | None = None, most: int = 500) -> list[Deadline]:
    """Open deadlines due at `at`, earliest first, a page at a time."""
    wanted = select(deadlines).where(deadlines.c.done_at.is_(None), deadlines.c.due_at <= at)
    if after is not None:
        later = (deadlines.c.due_at > after[0]) | ((deadlines.c.due_at == after[0]) & (deadlines.c.id > after[1]))
        wanted = wanted.where(later)
    return [deadline(row) for row in tx.execute(wanted.order_by(deadlines.c.due_at, deadlines.c.id).limit(most))]


def claim_deadline(tx: Connection, deadline_id: int) -> Deadline | None:
    """The row if it is still open and nobody else is at it; call with its case locked."""
    wanted = select(deadlines).where(deadlines.c.id == deadline_id, deadlines.c.done_at.is_(None)).with_for_update()
    row = tx.execute(wanted).first()
    return deadline(row) if row else None


def deadlines_of(tx: Connection, case_id: int) -> list[Deadline]:
    """All of a case, by date."""
    wanted = select(deadlines).where(deadlines.c.case_id == case_id).order_by(deadlines.c.due_at, deadlines.c.id)
    return [deadline(row) for row in tx.execute(wanted)]


def deadline(row: Any) -> Deadline:
    """One row of `deadlines`."""
    return Deadline(
        row.id,
        row.case_id,
        row.participant_id,
        DeadlineKind(row.kind),
        row.since,
        row.rung,
        row.due_at,
        row.done_at,
        row.outcome,
        row.report_id,
    )
