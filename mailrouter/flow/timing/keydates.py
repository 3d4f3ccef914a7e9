"""One beat about the keys of contacts: who is to be told that theirs ends, and which analyst that one has ended.

Like `remind`, safe to run twice and from two nodes at once: a letter is a step, a notice is raised once. Each is a
transaction of its own that looks again. Only organisations that take part in an open case are written to, and none
that has not been written to before: whoever has not heard of a case must not learn of it by this. These letters keep
the gap between automatic letters to one participant, as those about silence do, and hold the others off in their turn.
"""

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile

from sqlalchemy import Connection

from mailrouter import logs
from mailrouter.case import followup, keyclock, lifecycle
from mailrouter.case.keyclock import Life
from mailrouter.case.model import Case, Participant
from mailrouter.case.policy import of_case
from mailrouter.flow import letters
from mailrouter.flow.timing.remind import Foretold
from mailrouter.store import cases, contacts, journal, outbox, queues
from mailrouter.tools import Tools

LETTER, KIND = "key-expires", "key"


@dataclass(frozen=True, slots=True)
class Due:
    """One thing to tell: to the vendor (`rung` days before the end), or to the case's analyst (0)."""

    ending: contacts.Ending
    case: Case
    participant: Participant
    rung: int

    @property
    def once(self) -> str:
        """The key under which it happens once."""
        step = keyclock.step(self.ending.fingerprint, self.ending.ends, self.rung)
        return step if self.rung else f"{step}:{self.case.id}"


def beat(
    tools: Tools, at: datetime, actor: str = "mailrouter", over: Callable[[], bool] = lambda: False
) -> list[Foretold]:
    """Do everything that is due at `at`; letters are queued for the real now. Returns what was done."""
    going = takewhile(lambda _: not over(), _due(tools, at))
    return [_foretold(due) for due in going if _try(tools, due, at, actor)]


def foretell(tools: Tools, at: datetime) -> list[Foretold]:
    """What a beat at `at` would do; changes nothing."""
    return [_foretold(due) for due in _due(tools, at)]


def _foretold(due: Due) -> Foretold:
    does = f"letter {LETTER}" if due.rung else f"notice to {'the analyst' if due.case.analyst_id else 'triage'}"
    fell_due = keyclock.due_at(due.ending.ends, due.rung)
    return Foretold(due.case.vu, due.participant.name, KIND, due.rung, fell_due, does, writes=due.rung > 0)


# ---- what is due -----------------------------------------------------------------------------------------------------


def _due(tools: Tools, at: datetime) -> list[Due]:
    with tools.db.read() as tx:
        ending = contacts.ending(tx, at + keyclock.FORESEEN)
        found = [due for key in ending for due in _of_key(tx, tools, key, at)]
        done = outbox.steps_made(tx, [due.once for due in found]) | queues.raised_among(tx, [d.once for d in found])
    return [due for due in found if due.once not in done]


def _of_key(tx: Connection, tools: Tools, key: contacts.Ending, at: datetime) -> list[Due]:
    gap = timedelta(days=tools.settings.policy.letter_gap_days)
    rung = keyclock.rung_due(key.ends, at, gap)
    if rung is None or keyclock.stood_in_for(Life(key.fingerprint, key.ends), _lives(tx, key.organisation_id)):
        return []
    everywhere = [
        (case, cases.participant(tx, one)) for case, one in cases.open_with(tx, key.organisation_id) if case.is_open
    ]
    if rung == keyclock.ENDED:
        return [Due(key, case, participant, rung) for case, participant in everywhere]
    known = [Due(key, case, participant, rung) for case, participant in everywhere if _knows(participant)][-1:]
    return [due for due in known if _has_peace(tools, due.case, due.participant, at)]


def _has_peace(tools: Tools, case: Case, participant: Participant, at: datetime) -> bool:
    """Whether they had no automatic letter lately: within the gap the letter waits, and a later one takes its place."""
    return followup.gap_ends(participant, of_case(tools.settings.policy, case), at) <= at


def _lives(tx: Connection, organisation_id: int) -> list[Life]:
    usable = (key for key in contacts.keys_of(tx, [organisation_id]) if key.can_encrypt and key.revoked_at is None)
    return [Life(key.fingerprint, key.expires_at) for key in usable]


def _knows(participant: Participant) -> bool:
    return participant.progress not in lifecycle.PROGRESS["contact"] or participant.last_heard_at is not None


# ---- telling ---------------------------------------------------------------------------------------------------------


def _try(tools: Tools, due: Due, at: datetime, actor: str) -> bool:
    """One key that fails holds up no other."""
    try:
        return _one(tools, due, at, actor)
    except Exception as trouble:  # noqa: BLE001 - whatever it is, the other keys end too
        logs.failed("keys.beat", trouble, organisation=due.ending.organisation_id)
        return False


def _one(tools: Tools, due: Due, at: datetime, actor: str) -> bool:
    tools.own_key()  # letters name it; outside the transaction, it may have to be made
    with tools.db.write() as tx:
        case = cases.lock(tx, [due.case.id])[due.case.id]
        if not case.is_open or due.ending not in contacts.ending(tx, at + keyclock.FORESEEN):
            return False
        chain, told = journal.case_chain(case.id), {"fingerprint": due.ending.fingerprint, "at": at}
        if due.rung == keyclock.ENDED:
            about = {"case_id": case.id, "participant_id": due.participant.id}
            why = f"{_ended(due.ending, due.participant.name)}; confidential letters to them are held"
            made = queues.add_notice(tx, case.queue, why, tools.now(), once=due.once, **about)
            kind = "notice"
        else:
            made = _letter(tx, tools, case, due, at)
            kind = "letter.queued"
        if made:
            journal.write(tx, chain, tools.now(), kind, actor, participant=due.participant.id, **told)
        return made


def _letter(tx: Connection, tools: Tools, case: Case, due: Due, at: datetime) -> bool:
    """Unless one left since somebody looked, with the case held now. It counts as every automatic letter does."""
    if not _has_peace(tools, case, cases.participant(tx, due.participant.id), at):
        return False
    values = {"their_key": _groups(due.ending.fingerprint), "expires_on": letters.day(due.ending.ends)}
    order = letters.Order(LETTER, values, step=due.once)
    letter_id = letters.to_participant(tx, tools, case, due.participant, order, tools.now())
    if letter_id is None:
        return False
    outbox.overtake(tx, due.participant.id, letter_id)
    cases.change_participant(tx, due.participant.id, last_automatic_at=at)
    return True


def _groups(fingerprint: str) -> str:
    return " ".join(fingerprint[i : i + 4] for i in range(0, len(fingerprint), 4))


def _ended(key: contacts.Ending, name: str) -> str:
    how = f"`mailrouter vendor add-key {shlex.quote(name)} FILE` pins the new one"
    return f"the key {key.fingerprint} of {name} expired on {letters.day(key.ends)}: {how}"
