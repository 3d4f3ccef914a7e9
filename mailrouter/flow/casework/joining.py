"""Who takes part in a case, and as what: an organisation may hold several roles, and may come back."""

from typing import Any

from sqlalchemy import Connection

from mailrouter import faults
from mailrouter.case import lifecycle
from mailrouter.case import terms as rules
from mailrouter.case.model import ROLES, VENDOR_ROLES, Participant
from mailrouter.flow import act
from mailrouter.flow.actor import Actor, case_held
from mailrouter.flow.casework import standings
from mailrouter.flow.embargo import beginning
from mailrouter.store import cases, contacts, journal
from mailrouter.tools import Tools


def add(
    tools: Tools, actor: Actor, vu: int, whom: str, role: str, *, anonymous: bool = False, suspected: bool = False
) -> Participant:
    """An analyst's order: an organisation (a reporter: or a person's address) takes part; nothing is sent yet."""
    with tools.db.write() as tx:
        case = case_held(tx, vu)
        doing = act.Doing(tx, tools, tools.now(), tools.now(), actor.name, case)
        by_address = role == "reporter" and "@" in whom
        organisation_id = person(tx, whom) if by_address else contacts.named(tx, whom).id
        return join(doing, organisation_id, role, anonymous=anonymous, suspected=suspected)


def person(tx: Connection, address: str) -> int:
    """The organisation whose address this is; a person of that address, if nobody's."""
    speaker = contacts.speakers(tx, [address]).get(address)
    if speaker is not None and speaker.organisation_id is not None:
        return speaker.organisation_id
    made = contacts.add(tx, address, kind="person")
    contacts.add_contact(tx, made.id, address)
    return made.id


def join(
    doing: act.Doing, organisation_id: int, role: str, *, anonymous: bool = False, suspected: bool = False,
    unproved: bool = False,
) -> Participant:  # fmt: skip
    """It takes part as `role`, besides what it is already; who left comes back; a suspected vendor is confirmed.

    `Refused` if it takes part in this role already. Who is anonymous stays so until an analyst says otherwise.
    `unproved`: nothing shows that it reported this; as a vendor it is told like any other.
    """
    assert doing.case is not None
    known = cases.of_organisation(doing.tx, doing.case.id, organisation_id)
    if known is None:
        joined = _new(doing, organisation_id, role, anonymous=anonymous, suspected=suspected)
    else:
        joined = _again(doing, known, role, anonymous=anonymous, suspected=suspected)
    if (role == "reporter" and not unproved) or knows(joined):
        _reported(doing, joined)
    if joined.is_vendor and joined.aware_at is None and doing.case.public_at is not None:
        standings.informed(doing, joined, doing.case.public_at)
    if rules.reached(fresh := cases.participant(doing.tx, joined.id)) or not fresh.is_vendor:
        beginning.invite(doing, [fresh])  # a vendor is, once it is written to
    return cases.participant(doing.tx, joined.id)


def _new(doing: act.Doing, organisation_id: int, role: str, *, anonymous: bool, suspected: bool) -> Participant:
    assert doing.case is not None
    more = {"progress": "suspected"} if suspected else {}
    joined = cases.add_participant(doing.tx, doing.case.id, organisation_id, role, anonymous=anonymous, **more)
    _write(doing, "participant.added", joined, role=role, anonymous=anonymous, **({"suspected": True} if more else {}))
    return joined


def _again(doing: act.Doing, known: Participant, role: str, *, anonymous: bool, suspected: bool) -> Participant:
    holds = role in known.roles or (role in VENDOR_ROLES and known.is_vendor)
    confirmed = known.progress == "suspected" and role in VENDOR_ROLES and not suspected
    if holds and known.takes_part and not confirmed:
        raise faults.Refused(f"this organisation is a participant of the case already, as {', '.join(known.roles)}")
    roles = known.roles if holds else tuple(one for one in ROLES if one in (*known.roles, role))
    values: dict[str, Any] = {"roles": " ".join(roles), "anonymous": known.anonymous or anonymous}
    if not known.takes_part:
        values |= {"left_at": None, "left_why": ""}
    cases.change_participant(doing.tx, known.id, **values)
    kind = "participant.role" if known.takes_part else "participant.back"
    _write(doing, kind, known, roles=list(roles), anonymous=values["anonymous"])
    if not known.takes_part:
        act.anew(doing, known)
        doing.later.write(doing.tx)
    if confirmed:
        standings.progress(doing, known, "confirm")
    return cases.participant(doing.tx, known.id)


def knows(one: Participant) -> bool:
    """Whether it reported this itself, by more than an address that anybody can write: it has accepted the report."""
    return one.is_reporter and one.rm == "ACCEPTED"


def _reported(doing: act.Doing, joined: Participant) -> None:
    """Whoever reports a vulnerability has accepted that it is one; a vendor that does is aware, and has answered."""
    if joined.is_vendor:
        standings.informed(doing, joined, doing.now)
    standings.follow_rm(doing, joined, lifecycle.AFFECTED)
    if joined.is_vendor and joined.progress in lifecycle.PROGRESS["contact"]:
        standings.progress(doing, joined, "answer")


def _write(doing: act.Doing, kind: str, joined: Participant, /, **data: Any) -> None:
    chain = journal.case_chain(joined.case_id)
    journal.write(doing.tx, chain, doing.now, kind, doing.actor, participant=joined.id, **data)
