"""One letter: lease it, compose and seal it once, hand it over, record what became of it. Three short transactions.

Promises: every try sends the same bytes from the same envelope sender; nothing is sent without a live lease; a letter
whose reason has gone stays here; nothing confidential leaves in clear. A crash after the smarthost took it sends the
same Message-ID once more.
"""

import random
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from mailrouter import failpoint, logs
from mailrouter.case import embargo, plan
from mailrouter.case.events import Fate
from mailrouter.case.model import Participant
from mailrouter.case.policy import of_case
from mailrouter.faults import CannotSign, Refused, TryLater
from mailrouter.flow import act, ownaddresses, publication
from mailrouter.flow.actor import day_of
from mailrouter.flow.arriving import ties
from mailrouter.flow.casework import standings
from mailrouter.flow.embargo import beginning
from mailrouter.flow.sending import sealing
from mailrouter.mail import compose, fate
from mailrouter.relay import FIVE_DAYS, Outcome, backoff
from mailrouter.store import acknowledgements, cases, journal, outbox, queues, receipts
from mailrouter.store.engine import is_away
from mailrouter.tools import Tools

WARN_AFTER = timedelta(hours=4)


def work(tools: Tools) -> bool:
    """Deliver the next letter that is due; False when there is none, or the relay takes none now.

    Raises what the database raises while it is away: the letter is then still in hand.
    """
    with tools.db.read() as tx:
        if not outbox.waits(tx, tools.now()):
            return False
    with tools.db.write() as tx:
        letter = outbox.lease(tx, tools.holder, tools.now())
    failpoint.reach("deliver-after-lease")
    return letter is not None and _deliver(tools, letter)


def _deliver(tools: Tools, letter: outbox.Letter) -> bool:
    try:
        frozen = _freeze(tools, letter) if letter.sealed is None else _still_fit(tools, letter)
        failpoint.reach("deliver-after-freeze")
        return frozen is None or _send(tools, frozen)
    except Exception as trouble:
        if is_away(trouble):
            raise
        logs.failed("deliver.trouble", trouble, letter=letter.id)
        _record(tools, letter, Outcome("temporary", "a fault of ours"))  # later, and behind the others
        return True


def _send(tools: Tools, letter: outbox.Letter) -> bool:
    assert letter.sealed is not None
    assert letter.reverse_path is not None  # frozen together
    if not _may_leave(tools, letter):
        release(tools)
        return True
    outcome = tools.relay.send(letter.sealed, letter.reverse_path, letter.recipient)
    failpoint.reach("deliver-after-relay")
    _record(tools, letter, outcome)
    failpoint.reach("deliver-after-record")
    return not outcome.meets_all or outcome.state == "sent"


def release(tools: Tools) -> None:
    """Give back the letter in hand when the database went away: this node has one deliverer."""
    with tools.db.write() as tx:
        outbox.release(tx, tools.holder)


def _may_leave(tools: Tools, letter: outbox.Letter) -> bool:
    with tools.db.read() as tx:
        return outbox.still_ours(tx, letter, tools.holder, tools.now())


# ---- compose and seal -----------------------------------------------------------------------------------------------


def _freeze(tools: Tools, letter: outbox.Letter) -> outbox.Letter | None:
    """With the bytes every try will send, and from where; None when the letter is held or must be tried later."""
    with tools.db.read() as tx:
        known = sealing.look_up(tx, tools, letter)
    if held := known.held or sealing.tells(tools, letter, known):
        _hold(tools, letter, held)
        return None
    try:
        sealed, encrypted = sealing.sealed(tools, letter, known)
    except TryLater as trouble:
        logs.failed("deliver.seal", trouble, letter=letter.id)
        _record(tools, letter, Outcome("temporary", _unsealed(trouble)))
        return None
    except Refused as refused:
        _hold(tools, letter, str(refused))
        return None
    except ValueError as trouble:
        logs.failed("deliver.compose", trouble, letter=letter.id)
        _hold(tools, letter, "cannot be made a mail: look at its recipient")
        return None
    reverse_path = _reverse_path(tools, letter)
    let_through = _let_through(tools, letter, known)
    signed = letter.name != acknowledgements.NAME
    frozen = replace(letter, sealed=sealed, reverse_path=reverse_path, signed=signed, encrypted=encrypted)
    with tools.db.write() as tx:
        ours = outbox.freeze(tx, frozen, tools.holder, tools.now())
        if ours and let_through:
            _journal(tx, tools, letter, "letter.despite-leak", tools.now(), found=let_through)
    return frozen if ours else None


def _let_through(tools: Tools, letter: outbox.Letter, known: sealing.Sealing) -> str:
    """What it tells of others though it must not, where an analyst let it go all the same: kind and pseudonym."""
    found, called = sealing.hard_findings(tools, letter, known) if letter.despite else ([], {})
    return ", ".join(dict.fromkeys(f"{one.kind} of {called.get(one.owner, 'another')}" for one in found))


def _unsealed(trouble: TryLater) -> str:
    return outbox.OUR_KEY if isinstance(trouble, CannotSign) else "not sealed"


def _still_fit(tools: Tools, letter: outbox.Letter) -> outbox.Letter | None:
    """The same bytes again; None, and held, when a key or a consent they were sealed by has ended since, or somebody
    became anonymous whom they tell of.
    """
    with tools.db.read() as tx:
        why, known = sealing.outlived(tx, tools, letter), sealing.look_up(tx, tools, letter)
    if why := why or sealing.tells(tools, letter, known):
        _hold(tools, letter, why)
        return None
    return letter


def _reverse_path(tools: Tools, letter: outbox.Letter) -> str:
    """An address of its own, so that what comes back says which letter it is about; of receipts too: reports of them
    come from the null sender, which nothing of ours answers.
    """
    ours = ownaddresses.mint(tools).bounce(letter.id) or tools.settings.identity.address
    if letter.name in receipts.NAMES:
        return ours
    return compose.envelope_sender(ours, sealing.auto_submitted(letter))


# ---- what became of it ----------------------------------------------------------------------------------------------


def _record(tools: Tools, letter: outbox.Letter, outcome: Outcome) -> None:
    now = tools.now()
    with tools.db.write() as tx:
        if letter.case_id is not None:
            cases.lock(tx, [letter.case_id])
        match _state(letter, outcome, now):
            case "sent":
                _sent(tx, tools, letter, outcome, now)
            case "failed":
                _failed(tx, tools, letter, outcome, now)
            case _:
                _deferred(tx, tools, letter, outcome, now)


def _state(letter: outbox.Letter, outcome: Outcome, now: datetime) -> str:
    if outcome.state == "sent":
        return "sent"
    too_old = now - letter.made_at > FIVE_DAYS
    return "failed" if outcome.state == "permanent" or too_old else "deferred"


def _sent(tx: Connection, tools: Tools, letter: outbox.Letter, outcome: Outcome, now: datetime) -> None:
    if not outbox.record(tx, letter, tools.holder, now, state="sent", sent_at=now, reply=outcome.reply, why=""):
        return
    _journal(tx, tools, letter, "letter.sent", now)
    if letter.attempts > 1:
        outbox.withdraw_copy(tx, letter, "the first one left after all")
    if letter.participant_id is not None:
        participant = cases.participant(tx, letter.participant_id)
        _reached(tx, tools, participant, now)
        _first_contact(tx, tools, letter, participant, now)


def _reached(tx: Connection, tools: Tools, participant: Participant, now: datetime) -> None:
    """Whom a letter left to knows of the report from then on."""
    doing = act.Doing(tx, tools, now, now, "mailrouter", cases.get(tx, participant.case_id))
    standings.informed(doing, participant, now)


def _first_contact(
    tx: Connection, tools: Tools, letter: outbox.Letter, participant: Participant, now: datetime
) -> None:
    """Our date is 45 days from the first letter to a vendor that the relay accepted, unless negotiated (DOMAIN.md)."""
    case = cases.get(tx, participant.case_id)
    if participant.first_contact_at is None:
        cases.change_participant(tx, participant.id, first_contact_at=now)
        publication.joined(tx, case, participant.id, now)
    if participant.is_vendor and case.first_contact_at is None:
        cases.change(tx, case.id, first_contact_at=now)
        planned = embargo.planned_publication(now, of_case(tools.settings.policy, case))
        doing = act.Doing(tx, tools, now, now, "mailrouter", cases.get(tx, case.id))
        beginning.first_contact(doing, f"letter:{letter.id}", planned)


def _failed(tx: Connection, tools: Tools, letter: outbox.Letter, outcome: Outcome, now: datetime) -> None:
    why = f"refused by the relay ({outcome.reply})" if outcome.state == "permanent" else "not delivered in 5 days"
    if outbox.record(tx, letter, tools.holder, now, state="failed", reply=outcome.reply, why=why):
        _journal(tx, tools, letter, "letter.failed", now)
        says, once = f"letter {letter.id} failed: {why}", f"failed:{letter.attempts}"
        if letter.participant_id is not None and _knows_no_mailbox(outcome):
            _to_the_next(tx, tools, letter, says, once, now)
        else:
            _tell(tx, letter, says, now, once)


def _knows_no_mailbox(outcome: Outcome) -> bool:
    """It says so at RCPT, with the code. 550 alone does not: "relay not permitted", "SPF fail" and "blacklisted" are
    550 too (RFC 5321 section 4.2.3: "or command rejected for policy reasons"), and meet every vendor's address.
    """
    said = outcome.reply.partition(" ")[2]
    return outcome.state == "permanent" and outcome.at == "rcpt" and fate.is_no_mailbox(said)


def _to_the_next(tx: Connection, tools: Tools, letter: outbox.Letter, says: str, once: str, now: datetime) -> None:
    """The relay says itself that there is no such mailbox: as good as a report that proves it is about the letter."""
    assert letter.case_id is not None  # a participant's letter is a case's
    case = cases.get(tx, letter.case_id)
    refused = ties.returned(tx, letter, case, Fate.NO_MAILBOX, f"{says};", proved=True)
    event = replace(refused, once=f"letter:{letter.id}:{once}", known=False)
    doing = act.Doing(tx, tools, now, now, "mailrouter", case)
    act.perform(doing, plan.after(event, tools.settings.policy, now))


def _deferred(tx: Connection, tools: Tools, letter: outbox.Letter, outcome: Outcome, now: datetime) -> None:
    again = now + backoff(letter.attempts, random.random())  # noqa: S311 - jitter, not a secret
    ours = outbox.record(tx, letter, tools.holder, now, next_attempt_at=again, reply=outcome.reply)
    if ours and now - letter.made_at > WARN_AFTER:
        _tell(tx, letter, f"letter {letter.id} has not left for 4 hours ({outcome.reply})", now, "late")


def _hold(tools: Tools, letter: outbox.Letter, why: str) -> None:
    now = tools.now()
    with tools.db.write() as tx:
        if letter.case_id is not None:
            cases.lock(tx, [letter.case_id])  # before the letter, as all verbs do
        if outbox.record(tx, letter, tools.holder, now, state="held", why=why):
            _journal(tx, tools, letter, "letter.held", now)
            _tell(tx, letter, f"letter {letter.id} is held: {why}", now, f"held:{letter.attempts}")


def _tell(tx: Connection, letter: outbox.Letter, why: str, now: datetime, what: str) -> None:
    """A notice for the case's analyst, or about a report for triage; for letters to our own staff, the operator's
    queue, once a day for each of them (tell.py says why). Of acknowledgements nobody hears: whoever writes from an
    address that takes no mail would fill a queue with them.
    """
    if letter.name == acknowledgements.NAME:
        return
    if letter.case_id is None and letter.report_id is not None:
        once = f"letter:{letter.id}:{what}"
        queues.add_notice(tx, "triage", why, now, once=once, report_id=letter.report_id)
        return
    if letter.case_id is None:
        queues.add_notice(tx, "operator", why, now, once=f"{queues.STAFF}not-reached:{letter.recipient}:{day_of(now)}")
        return
    about = {"case_id": letter.case_id, "participant_id": letter.participant_id}
    queues.add_notice(tx, cases.get(tx, letter.case_id).queue, why, now, once=f"letter:{letter.id}:{what}", **about)


def _journal(tx: Connection, tools: Tools, letter: outbox.Letter, kind: str, now: datetime, **more: str) -> None:
    about = {"letter": letter.id, "name": letter.name, "attempts": letter.attempts, **more}
    journal.write(tx, _chain(tools, letter), now, kind, "mailrouter", **about)


def _chain(tools: Tools, letter: outbox.Letter) -> str:
    """An acknowledgement is in no case's, and in no report's: most of those it numbers never become one."""
    if letter.case_id is not None:
        return journal.case_chain(letter.case_id)
    if letter.report_id is not None and letter.name != acknowledgements.NAME:
        return journal.report_chain(letter.report_id)
    return journal.node_chain(tools.settings.node)
