"""Vendors are written to: the first letter, and the details, as DOMAIN.md orders it (The way of a case 3).

Promises: one mail each; details only to who can have them safely (flow/details.py), and at once when they can; whoever
reported it is not asked what it told us. A person orders all of it, so that nothing here counts as an automatic letter.
"""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from mailrouter import faults
from mailrouter.case import contacting, lifecycle
from mailrouter.case.contacting import Carries
from mailrouter.case.model import Case, Participant
from mailrouter.flow import act, cleartext, details, letters
from mailrouter.flow.actor import Actor, case_held, need_analyst, note, still_open, taking_part
from mailrouter.flow.casework import joining
from mailrouter.flow.cves import telling
from mailrouter.flow.embargo import beginning
from mailrouter.store import cases, contacts, descriptions, journal, outbox
from mailrouter.store.contacts import PinnedKey
from mailrouter.store.descriptions import Description
from mailrouter.tools import Tools

NOT_CONTACTED = "not contacted"
UNTOLD = lifecycle.PROGRESS["contact"]  # a suspected vendor is written to only by name


@dataclass(frozen=True, slots=True)
class Contacted:
    """What became of one vendor."""

    participant: Participant
    carries: Carries | None  # None: they reported it, and know
    letter_id: int | None  # None: there is no letter


def notify(
    tools: Tools, actor: Actor, vu: int, vendors: Sequence[str] = (), *, without_details: bool = False
) -> list[Contacted]:
    """First contact, one mail each. Without names: every vendor not contacted yet.

    `Illegal` when there is no description, unless the letters are to go without details all the same.
    """
    tools.own_key()  # outside the transaction: it may have to be made
    with tools.db.write() as tx:
        case = still_open(case_held(tx, vu))
        chosen = _to_notify(tx, case, vendors)
        newest = None if without_details else descriptions.newest(tx, case.id)
        if newest is None and not without_details:
            raise faults.Illegal(
                f"VU#{vu} has no description yet: `mailrouter case describe {vu} --file FILE` says what vendors are to"
                " learn (or `--without-details`: they learn only that there is something)"
            )
        doing = act.Doing(tx, tools, tools.now(), tools.now(), actor.name, case)
        case = beginning.begin(doing, case)
        keys = _keys(tx, chosen)
        done = [_first(doing, case, one, newest, keys[one.organisation_id]) for one in chosen]
        written_to = [cases.participant(tx, one.id) for one in chosen]
        beginning.invite(doing, written_to)
        telling.contacted(doing, written_to)
        doing.later.write(tx)
        return done


def _to_notify(tx: Connection, case: Case, vendors: Sequence[str]) -> list[Participant]:
    if vendors:
        chosen = list(dict.fromkeys(taking_part(tx, case, name) for name in vendors))
        other = next((p for p in chosen if not p.is_vendor), None)
        if other is not None:
            raise faults.Illegal(f"{other.name} is a {other.role}; only vendors are notified")
        known = next((p for p in chosen if p.progress not in UNTOLD and not _only_wrote(tx, p)), None)
        if known is not None:
            whose = f"{case.vu} {shlex.quote(known.name)}"
            raise faults.Illegal(
                f"{known.name} was contacted before; `mailrouter case write {whose}` writes again,"
                f" `mailrouter case details {whose}` sends the newest description"
            )
        return chosen
    chosen = [p for p in _vendors(tx, case) if p.progress == NOT_CONTACTED or _only_wrote(tx, p)]
    if not chosen:
        raise faults.Illegal(
            f"every vendor of VU#{case.vu} was contacted before; add one with `mailrouter case add-vendor`"
        )
    return chosen


def _only_wrote(tx: Connection, one: Participant) -> bool:
    """Whether mail in its name came, which anybody may have sent, and none of ours ever went there."""
    wrote = one.progress in ("acknowledged", "answered") and not joining.knows(one)
    return wrote and one.first_contact_at is None and outbox.last_to(tx, one.id) is None


def _vendors(tx: Connection, case: Case) -> list[Participant]:
    return [p for p in cases.participants_of(tx, [case.id]) if p.is_vendor and p.takes_part]


def _keys(tx: Connection, chosen: Sequence[Participant]) -> dict[int, list[PinnedKey]]:
    """All keys ever pinned, by organisation: one query for all of them."""
    found: dict[int, list[PinnedKey]] = {one.organisation_id: [] for one in chosen}
    for key in contacts.keys_of(tx, found, retired=True):
        found[key.organisation_id].append(key)
    return found


# ---- the first letter ------------------------------------------------------------------------------------------------


def _first(
    doing: act.Doing, case: Case, participant: Participant, newest: Description | None, keys: list[PinnedKey]
) -> Contacted:
    if joining.knows(participant):
        _knows(doing, participant)
        return Contacted(participant, None, None)
    what = details.carries(participant, keys, doing.now, described=newest is not None)
    letter_id = _letter(doing, case, participant, newest, what)
    version = newest.version if newest else 0
    sent = {"described": version if what in contacting.DETAILED else 0, "promised": version}
    cases.change_participant(doing.tx, participant.id, progress="contacted", **sent)
    _queued(doing, case, participant, letter_id, details.FIRST)
    if sent["promised"] > sent["described"]:
        _promised(doing, case, participant, version)
    return Contacted(participant, what, letter_id)


def _letter(doing: act.Doing, case: Case, participant: Participant, newest: Description | None, what: Carries) -> int:
    told = newest if what in contacting.DETAILED else None
    order = letters.Order(
        details.FIRST, details.values(told) | contacting.words(what), asks=True, confidential=told is not None,
        step=details.first_step(participant), kept=told.files if told else "",
    )  # fmt: skip
    letter_id = letters.to_participant(doing.tx, doing.tools, case, participant, order, doing.now)
    assert letter_id is not None  # a participant is contacted first only once, and the case is locked
    return letter_id


def _queued(doing: act.Doing, case: Case, participant: Participant, letter_id: int, name: str) -> None:
    """The journal's row, and their turn."""
    told = {"letter": letter_id, "name": name, "participant": participant.id}
    doing.later.notes.append(journal.Note(journal.case_chain(case.id), doing.now, "letter.queued", doing.actor, told))
    act.carry_out(doing, act.asking(doing, participant, letter_id))


def _promised(doing: act.Doing, case: Case, participant: Participant, version: int) -> None:
    told = {"participant": participant.id, "version": version}
    doing.later.notes.append(
        journal.Note(journal.case_chain(case.id), doing.now, "details.promised", doing.actor, told)
    )


def _knows(doing: act.Doing, participant: Participant) -> None:
    """A vendor that reported it itself is aware, and has answered: nothing is asked of it."""
    assert doing.case is not None
    heard = participant.last_heard_at or doing.now
    aware = {"aware_at": participant.aware_at or heard, "last_heard_at": heard}
    cases.change_participant(doing.tx, participant.id, progress="answered", **aware)
    told = {"participant": participant.id}
    chain = journal.case_chain(doing.case.id)
    doing.later.notes.append(journal.Note(chain, doing.now, "participant.knows", doing.actor, told))


# ---- the details, later ----------------------------------------------------------------------------------------------


def send_newest(tools: Tools, actor: Actor, vu: int, vendors: Sequence[str] = ()) -> list[Contacted]:
    """The newest description to those who were contacted and have an older one, or none; without names to all of them.

    To whom it cannot leave now it is promised: it follows as soon as there is a key, or their consent.
    """
    tools.own_key()
    with tools.db.write() as tx:
        case = still_open(case_held(tx, vu))
        newest = descriptions.newest(tx, case.id)
        if newest is None:
            raise faults.Illegal(f"VU#{vu} has no description: `mailrouter case describe {vu}` writes one")
        chosen = _to_send(tx, case, vendors, newest)
        doing = act.Doing(tx, tools, tools.now(), tools.now(), actor.name, case)
        keys = _keys(tx, chosen)
        done = [_details(doing, case, one, newest, keys[one.organisation_id]) for one in chosen]
        doing.later.write(tx)
        return done


def _to_send(tx: Connection, case: Case, vendors: Sequence[str], newest: Description) -> list[Participant]:
    if vendors:
        chosen = list(dict.fromkeys(taking_part(tx, case, name) for name in vendors))
        refused = next(filter(None, (_refusal(case, one, newest) for one in chosen)), None)
        if refused:
            raise faults.Illegal(refused)
        return chosen
    chosen = [p for p in _vendors(tx, case) if lacks(p, newest)]
    if not chosen:
        raise faults.Illegal(f"every vendor of VU#{case.vu} that was contacted has version {newest.version}")
    return chosen


def lacks(one: Participant, newest: Description) -> bool:
    """Whether this vendor was contacted and has an older version, or none."""
    return one.is_vendor and one.takes_part and one.progress not in UNTOLD and one.described < newest.version


def _refusal(case: Case, one: Participant, newest: Description) -> str:
    """Why it is not sent to this one; '' when it is."""
    if not one.is_vendor:
        return f"{one.name} is a {one.role}; only vendors are sent the description"
    if not one.takes_part:
        return f"{one.name} has left VU#{case.vu}"
    if one.progress in UNTOLD:
        return f"{one.name} was not contacted yet: `mailrouter case notify {case.vu} {shlex.quote(one.name)}`"
    return f"{one.name} has version {newest.version}, the newest" if one.described >= newest.version else ""


def _details(
    doing: act.Doing, case: Case, participant: Participant, newest: Description, keys: list[PinnedKey]
) -> Contacted:
    what = details.carries(participant, keys, doing.now)
    if what not in contacting.DETAILED:
        cases.change_participant(doing.tx, participant.id, promised=newest.version)
        _promised(doing, case, participant, newest.version)
        return Contacted(participant, what, None)
    letter_id = details.send(doing.tx, doing.tools, case, participant, newest, doing.now)
    assert letter_id is not None  # they have an older version, and the case is locked
    _queued(doing, case, participant, letter_id, details.LETTER)
    return Contacted(participant, what, letter_id)


def follow(tx: Connection, tools: Tools, actor: Actor, owed: Sequence[tuple[Case, int]]) -> list[int]:
    """What could not leave does so now, where it can: a key was pinned, or a consent recorded. `owed`: cases locked."""
    made = []
    for case, participant_id in owed:
        letter_id = details.follow(tx, tools, case, participant_id, tools.now())
        if letter_id is not None:
            doing = act.Doing(tx, tools, tools.now(), tools.now(), actor.name, case)
            _queued(doing, case, cases.participant(tx, participant_id), letter_id, details.LETTER)
            doing.later.write(tx)
            made.append(letter_id)
    return made


def decide_clear_text(tools: Tools, actor: Actor, vu: int, whom: str, *, allowed: bool, why: str) -> Participant:
    """An analyst's word: they agreed, or do so no longer. `Illegal` for anybody else."""
    need_analyst(actor, "recording a consent to clear text")
    with tools.db.write() as tx:
        case = case_held(tx, vu)
        participant = taking_part(tx, case, whom)
        cleartext.record(tx, participant, actor.name if allowed else "", tools.now(), allowed=allowed)
        note(tx, tools, actor, "participant.clear-text", case, participant=participant.id, allowed=allowed, why=why)
        follow(tx, tools, actor, [(case, participant.id)] if allowed else [])
        return cases.participant(tx, participant.id)
