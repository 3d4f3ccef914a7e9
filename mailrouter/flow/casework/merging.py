"""One case goes on in another: two reports of the same vulnerability, or of several that are mended together.

Promises: nothing is lost, and nobody gains anything by it (testbook A08): who took part in one case takes part in the
other with what is theirs, and reads nothing of it that was written before. Mail to the old number, to its reply
addresses and in its threads leads to the case that goes on. The shorter date stands.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from mailrouter import faults
from mailrouter.case import casestate, lifecycle, merging
from mailrouter.case.actions import ALL_CLOCKS
from mailrouter.case.model import Case, Participant
from mailrouter.flow import act, publication
from mailrouter.flow.actor import Actor, case_held, done_by, note
from mailrouter.flow.casework import publicity, standings
from mailrouter.flow.composing import writing
from mailrouter.flow.embargo import uniting
from mailrouter.store import cases, notes, statements, terms, vulnerabilities
from mailrouter.store import merging as rows
from mailrouter.tools import Tools


def merge(tools: Tools, actor: Actor, vu: int, into_vu: int, why: str) -> Case:
    """The case that goes on. `Illegal` unless both are open and two: so there is no circle."""
    tools.own_key()  # letters name it; outside the transaction, it may have to be made
    with tools.db.write() as tx:
        old, into = _both_held(tx, vu, into_vu)
        state = _may_merge(tx, old, into)
        doing = act.Doing(tx, tools, tools.now(), tools.now(), actor.name, into)
        numbers = _vulnerabilities(tx, old, into)
        moved, joined = _participants(doing, old, into)
        _descriptions(tx, old, into, moved, joined)
        drafts = _note(doing, old, into)
        rows.move_case(tx, old.id, into.id, old.queue, into.queue)
        rows.close_clocks(tx, old.id, doing.now, "merged")
        _dates(doing, old, into)
        _end(doing, actor, old, state, into, why)
        told: dict[str, Any] = {
            "moved": moved,
            "joined": joined,
            "vulnerabilities": [*numbers.values()],
            "why": why,
            "drafts": drafts,
        }
        note(tx, tools, actor, "case.merged", old, into=f"VU#{into.vu}", **told)
        note(tx, tools, actor, "case.merged-from", into, old=f"VU#{old.vu}", **told)
        return cases.get(tx, into.id)


def _both_held(tx: Connection, vu: int, into_vu: int) -> tuple[Case, Case]:
    ids = [cases.by_vu(tx, number).id for number in (vu, into_vu)]
    cases.lock(tx, ids)  # in the order all verbs hold cases
    return case_held(tx, vu), case_held(tx, into_vu)


def _may_merge(tx: Connection, old: Case, into: Case) -> str:
    if old.id == into.id:
        raise faults.Illegal(f"VU#{old.vu} cannot be merged into itself")
    for case in (old, into):
        if case.published_at is not None:
            raise faults.Illegal(
                f"the note on VU#{case.vu} is published, or about to be: its number stays. Bring the other case's"
                " vendors into it (`mailrouter case add-vendor`), publish a revision, and close the other one"
            )
        if not case.is_open:
            raise faults.Illegal(f"VU#{case.vu} is {case.state}{done_by(tx, case, 'case.closed')}: open cases merge")
    return lifecycle.move(lifecycle.CASE, "merge", old.state)


# ---- who takes part --------------------------------------------------------------------------------------------------


def _participants(doing: act.Doing, old: Case, into: Case) -> tuple[list[int], list[list[int]]]:
    """Who was in the old case only moves; who is in both goes on as the one it is in the other. Their ids."""
    there = {one.organisation_id: one for one in cases.participants_of(doing.tx, [into.id])}
    called = {one.pseudonym for one in there.values()}
    moved, joined = [], []
    for one in cases.participants_of(doing.tx, [old.id]):
        if (same := there.get(one.organisation_id)) is None:
            changed = {"pseudonym": cases.new_pseudonym(doing.tx, into.id, one.role)} if one.pseudonym in called else {}
            rows.move_participant(doing.tx, one.id, into.id, **changed)
            moved.append(one.id)
        else:
            _join(doing, one, same)
            joined.append([one.id, same.id])
    return moved, joined


def _join(doing: act.Doing, one: Participant, same: Participant) -> None:
    if one.takes_part != same.takes_part:
        raise faults.Illegal(
            f"{one.name} takes part in one of the two cases and left the other: bring it back or remove it first"
        )
    columns, takes_turn = merging.joined(one, same)
    rows.join_participant(doing.tx, one.id, same.id, doing.now)
    terms.join_participant(doing.tx, one.id, same.id)
    _one_stands(doing.tx, same)
    loser = same if takes_turn else one
    cases.close_deadlines(doing.tx, loser.id, ALL_CLOCKS, doing.now, "merged")
    if takes_turn:
        rows.move_clocks(doing.tx, one.id, same.id, same.case_id)
    cases.change_participant(doing.tx, same.id, **columns)
    left = {"left_at": doing.now, "left_why": "merged"} if one.takes_part else {}
    cases.change_participant(doing.tx, one.id, waiting_on="nobody", since=None, wait_until=None, **left)


def _one_stands(tx: Connection, one: Participant) -> None:
    """Of two statements that stood, the newer one does."""
    stood = sorted((s for s in statements.of_participant(tx, one.id) if s.stands), key=lambda s: s.made_at)
    for former in stood[:-1]:
        statements.change(tx, former.id, state="superseded")


# ---- what it is about, and until when --------------------------------------------------------------------------------


def _vulnerabilities(tx: Connection, old: Case, into: Case) -> dict[int, int]:
    """Further ones of the other case, with what was said of them."""
    numbers = vulnerabilities.append(tx, old.id, into.id)
    rows.renumber_proposals(tx, old.id, numbers)
    return numbers


def _descriptions(tx: Connection, old: Case, into: Case, moved: Sequence[int], joined: Sequence[Sequence[int]]) -> None:
    """The other case's own, if it has one: who came has none of it yet. Else the old one goes along."""
    if rows.move_descriptions(tx, old.id, into.id):
        for was, now in joined:
            one = cases.participant(tx, was)
            cases.change_participant(tx, now, described=one.described, promised=one.promised)
    else:
        cases.change_participants(tx, [{"participant": one, "described": 0, "promised": 0} for one in moved])


def _note(doing: act.Doing, old: Case, into: Case) -> str:
    """The old case's drafts go along if the other has none, with one that says the number it has now; else they stay
    with the old number, to be read there.
    """
    if notes.newest(doing.tx, old.id) is None:
        return "none"
    if notes.newest(doing.tx, into.id) is not None:
        return "stay"
    rows.move_revisions(doing.tx, old.id, into.id)
    why = writing.FIRST
    writing.propose(doing.tx, doing.tools, into, why=why, cause=f"merged:{old.id}", by=doing.actor)
    return "moved"


def _dates(doing: act.Doing, old: Case, into: Case) -> None:
    """The earlier first contact and the shorter date; what the world knows of either, it knows."""
    first = merging.earliest(old.first_contact_at, into.first_contact_at)
    cases.change(doing.tx, into.id, first_contact_at=first)
    if first != into.first_contact_at:
        standings.write(doing, "case.first-contact", first_contact=first, before=into.first_contact_at)
    planned = merging.earliest(old.planned_at, into.planned_at)
    if planned is not None and planned != into.planned_at:
        publication.plan(doing.tx, into, f"merged:{old.id}", planned, doing.tools.settings.policy)
        contact = {"first_contact": first, "first_contact_before": into.first_contact_at}
        standings.write(doing, "publication.planned", planned=planned, before=into.planned_at, **contact)
    uniting.unite(doing, old, into)
    for what, column in casestate.BITS.items():
        at = getattr(old, column)
        now = cases.get(doing.tx, into.id)
        if at is not None and what in lifecycle.legal(lifecycle.PUBLIC, casestate.of_case(now)):
            publicity.carry_out(doing, now, casestate.sets(now, what, at), at, f"known of VU#{old.vu}")


def _end(doing: act.Doing, actor: Actor, old: Case, state: str, into: Case, why: str) -> None:
    way = lifecycle.follow(lifecycle.EMBARGO, ("terminate", "reject"), old.embargo)
    ended = {"embargo": way[-1], "embargo_ends_at": doing.now} if len(way) > 1 else {}
    cases.change(doing.tx, old.id, state=state, merged_into_id=into.id, closed_at=doing.now, **ended)
    if ended:
        note(doing.tx, doing.tools, actor, "embargo", old, states=way, why=why)
