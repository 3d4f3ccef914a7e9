"""A case is opened, gets its vendors and its owner, as an analyst orders it. One verb, one transaction."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from mailrouter import faults
from mailrouter.case import actions as do
from mailrouter.case.answers import What
from mailrouter.case.model import Case, DeadlineKind, Participant
from mailrouter.flow import act
from mailrouter.flow.actor import Actor, case_held, note, taking_part
from mailrouter.flow.afterwards import revising
from mailrouter.flow.casework import joining
from mailrouter.mail import compose
from mailrouter.store import analysts, cases, notes, proposals, queues, vulnerabilities
from mailrouter.store.vulnerabilities import Vulnerability
from mailrouter.tools import Tools


def open_case(
    tools: Tools, actor: Actor, title: str, vu: int | None = None, analyst: str = "", *, urgent: bool = False
) -> Case:
    """A new case; `analyst` '' leaves it to whoever orders it, if that is an analyst."""
    with tools.db.write() as tx:
        return begin(tx, tools, actor, title, vu, analyst, urgent=urgent)


def begin(
    tx: Connection, tools: Tools, actor: Actor, title: str, vu: int | None, analyst: str, *, urgent: bool
) -> Case:
    """The same, inside the caller's transaction."""
    owner = analysts.named(tx, analyst).id if analyst else actor.analyst_id
    more: dict[str, Any] = {"analyst_id": owner, "urgent": urgent}
    case = cases.open_case(tx, title, tools.now(), **(more | ({"vu": vu} if vu else {})))
    note(tx, tools, actor, "case.opened", case, vu=case.vu, analyst=case.analyst, urgent=urgent)
    return case


def add_vendor(
    tools: Tools, actor: Actor, vu: int, vendor: str, *, downstream: bool = False, anonymous: bool = False,
    suspected: bool = False,
) -> Participant:  # fmt: skip
    """A vendor takes part; nothing is sent yet. `suspected`: we believe that it ships it."""
    role = "downstream" if downstream else "vendor"
    return joining.add(tools, actor, vu, vendor, role, anonymous=anonymous, suspected=suspected)


def add_vulnerability(tools: Tools, actor: Actor, vu: int, title: str) -> Vulnerability:
    """The case is about one more."""
    with tools.db.write() as tx:
        case = case_held(tx, vu)
        added = vulnerabilities.add(tx, case.id, title, tools.now())
        note(tx, tools, actor, "vulnerability.added", case, number=added.number)
        revising.look(tx, tools, case, f"vulnerability:{added.id}", actor.name)
        return added


def entitle(tools: Tools, actor: Actor, vu: int, title: str, number: int | None = None) -> Case:
    """Another title: of the case, and of its first vulnerability while that is the same; or of one vulnerability
    alone. The journal holds no titles. `NotFound` for a vulnerability that there is none of.
    """
    with tools.db.write() as tx:
        case = case_held(tx, vu)
        flaws = vulnerabilities.of_case(tx, case.id)
        if number is None:
            cases.change(tx, case.id, title=title)
            called = [one for one in flaws[:1] if one.title == case.title]
        elif not (called := [one for one in flaws if one.number == number]):
            raise faults.NotFound(f"there is no VU#{vu}.{number}")
        for one in called:
            vulnerabilities.change(tx, one.id, title=title)
        note(tx, tools, actor, "case.title", case, **({"number": number} if number else {}))
        revising.look(tx, tools, case, "title", actor.name)
        return cases.get(tx, case.id)


# ---- the case itself -------------------------------------------------------------------------------------------------


def assign(tools: Tools, actor: Actor, vu: int, analyst: str) -> Case:
    """Another owner: what waits for the case goes to their queue."""
    with tools.db.write() as tx:
        case, new = case_held(tx, vu), analysts.named(tx, analyst)
        cases.change(tx, case.id, analyst_id=new.id)
        queues.move(tx, case.queue, new.queue, case.id)
        note(tx, tools, actor, "case.assigned", case, analyst=new.name)
        return cases.get(tx, case.id)


# ---- participants ----------------------------------------------------------------------------------------------------


def wait(tools: Tools, actor: Actor, vu: int, whom: str, until: datetime | None) -> Participant:
    """An analyst's word: nobody's turn, until a date or for good."""
    with tools.db.write() as tx:
        case = case_held(tx, vu)
        participant = taking_part(tx, case, whom)
        doing = _doing(tx, tools, actor, case)
        act.nobodys_turn(doing, participant, "told to wait")
        if until is not None:
            _wait_until(doing, participant, until)
        note(tx, tools, actor, "participant.wait", case, participant=participant.id, until=until)
        return cases.participant(tx, participant.id)


def _wait_until(doing: act.Doing, participant: Participant, until: datetime) -> None:
    since = f"wait:{doing.now.isoformat()}/{until.isoformat()}"  # a second order is another wait, even to the same day
    cases.change_participant(doing.tx, participant.id, wait_until=until, since=since)
    act.perform(doing, [do.Set(participant, DeadlineKind.WAIT, since, 1, until)])


def set_participant(tools: Tools, actor: Actor, vu: int, whom: str, **values: Any) -> Participant:
    """What is recorded of a participant: `their_ref`, `anonymous`.

    `Refused` for a reference that would mislead the answers to us, which repeat our subjects.
    """
    if "their_ref" in values and (why := compose.unfit(values["their_ref"])):
        raise faults.Refused(f"this reference cannot stand in a subject: {why}")
    with tools.db.write() as tx:
        case = case_held(tx, vu)
        participant = taking_part(tx, case, whom)
        if values.get("anonymous") and any(one.case_id == case.id for one in notes.not_released(tx)):
            raise faults.Illegal(
                f"VU#{vu} is being published, and names them: `mailrouter note publish {vu}` goes on first"
            )
        cases.change_participant(tx, participant.id, **values)
        told = {"participant": participant.id, "what": sorted(values)}
        if "their_ref" in values:
            told["overtakes"] = proposals.settle(tx, participant.id, [What.THEIR_REF], actor.name, tools.now())
        note(tx, tools, actor, "participant.set", case, **told)
        revising.look(tx, tools, case, f"participant:{participant.id}", actor.name)
        return cases.participant(tx, participant.id)


def _doing(tx: Connection, tools: Tools, actor: Actor, case: Case) -> act.Doing:
    return act.Doing(tx, tools, tools.now(), tools.now(), actor.name, case)
