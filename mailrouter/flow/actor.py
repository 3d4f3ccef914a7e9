"""Who gives an order, and what an order leaves in the journal."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from mailrouter import faults
from mailrouter.case.model import Case, Participant, Report
from mailrouter.store import analysts, cases, journal
from mailrouter.tools import Tools


@dataclass(frozen=True, slots=True)
class Actor:
    """An analyst, or a Unix login that is nobody's."""

    name: str  # as the journal writes it
    analyst_id: int | None = None
    by_mail: Mapping[str, object] | None = None  # the signed mail that gives the order: message, fingerprint


def who(tx: Connection, login: str) -> Actor:
    """The analyst whose login this is, else `unix:LOGIN`."""
    analyst = analysts.by_login(tx, login)
    return Actor(analyst.name, analyst.id) if analyst else Actor(f"unix:{login}")


def need_analyst(actor: Actor, what: str) -> None:
    """`Illegal` unless an analyst gives the order."""
    if actor.analyst_id is None:
        raise faults.Illegal(
            f"{what} needs an analyst; `mailrouter analyst add NAME --login {actor.name[5:]}` makes you one"
        )


def note(tx: Connection, tools: Tools, actor: Actor, kind: str, case: Case | None = None, /, **data: Any) -> None:
    """One row in the case's journal, or in this node's."""
    chain = journal.case_chain(case.id) if case else journal.node_chain(tools.settings.node)
    journal.write(tx, chain, tools.now(), kind, actor.name, **data, **evidence(actor))


def evidence(actor: Actor) -> dict[str, Any]:
    """What a row of the journal says of the signed mail that gave the order; nothing of a command."""
    return {"by_mail": dict(actor.by_mail)} if actor.by_mail else {}


def note_report(tx: Connection, tools: Tools, actor: Actor, kind: str, report: Report, /, **data: Any) -> None:
    """One row in the report's journal."""
    journal.write(tx, journal.report_chain(report.id), tools.now(), kind, actor.name, **data, **evidence(actor))


def case_held(tx: Connection, vu: int) -> Case:
    """The case, locked until the end of the transaction; `NotFound` if there is none, `Illegal` once it was merged."""
    case = cases.lock(tx, [cases.by_vu(tx, vu).id]).popitem()[1]
    if case.merged_into_id is not None:
        into = cases.get(tx, case.merged_into_id).vu
        raise faults.Illegal(f"VU#{vu} was merged into VU#{into}{done_by(tx, case, 'case.merged')}: it goes on there")
    return case


def done_by(tx: Connection, case: Case, *kinds: str, **about: Any) -> str:
    """`, by ALICE on DATE`, if the newest journal row of these kinds is about this; else ''. For who came second."""
    row = journal.last(tx, journal.case_chain(case.id), kinds)
    if row is None or any(row.data.get(name) != value for name, value in about.items()):
        return ""
    return f", by {row.actor} on {row.at:%Y-%m-%d %H:%M} UTC"


def still_open(case: Case) -> Case:
    """The case, if we still work towards its publication; `Illegal` says what can be done instead."""
    if case.state == "published":
        instead = f"`mailrouter case write {case.vu} WHOM` tells them of the note"
        raise faults.Illegal(f"VU#{case.vu} is published: nobody is asked any more; {instead}")
    return still_going_on(case)


def still_going_on(case: Case) -> Case:
    """The case, if mail in it is answered: open or published. `Illegal` says how it is opened."""
    if not case.goes_on:
        raise faults.Illegal(f"VU#{case.vu} is {case.state}; `mailrouter case reopen {case.vu} --why …` opens it again")
    return case


def taking_part(tx: Connection, case: Case, whom: str) -> Participant:
    """The participant of that name or pseudonym (or the role `reporter`, if there is one); `NotFound` lists those there
    are.

    `Illegal` for who left: nothing is done with them until they take part again.
    """
    found = ever_taking_part(tx, case, whom)
    if not found.takes_part:
        raise faults.Illegal(
            f"{found.name} takes part in VU#{case.vu} no more{done_by(tx, case, LEFT, participant=found.id)};"
            f" `mailrouter case add-vendor {case.vu} {shlex.quote(found.name)}` brings them back"
        )
    return found


LEFT = "participant.left"  # kind of journal row


def ever_taking_part(tx: Connection, case: Case, whom: str) -> Participant:
    """The same, of those who left too: what they sent is shown."""
    everyone = sorted(cases.participants_of(tx, [case.id]), key=lambda p: not p.takes_part)
    wanted = " ".join(whom.casefold().split())
    by_name = [p for p in everyone if wanted in (" ".join(p.name.casefold().split()), p.pseudonym.casefold())]
    by_role = [p for p in everyone if wanted in p.roles and p.takes_part]
    if by_name or len(by_role) == 1:
        return (by_name or by_role)[0]
    names = ", ".join(p.name for p in everyone if p.takes_part) or "nobody yet"
    raise faults.NotFound(f"{whom!r} takes no part in VU#{case.vu}; it has: {names}")


def day_of(now: datetime) -> str:
    """The UTC day, for keys of what happens once a day."""
    return now.date().isoformat()
