"""What taking a proposal does, each kind by the verb an analyst would order; and what is taken at once.

Promises: everything happens in the caller's transaction, with the case locked; what is refused leaves nothing behind,
and the proposal open. Nothing is taken at once that would undo what was said, or recorded, after the mail was signed.
The journal holds which proposal, kind and hash of its value; the value stands in its row.
"""

import shlex
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

from mailrouter import faults
from mailrouter.case import actions as do
from mailrouter.case import answers, lifecycle
from mailrouter.case.answers import What
from mailrouter.case.model import DeadlineKind, Participant, Waiting
from mailrouter.case.policy import of_case
from mailrouter.case.status import AFFECTED, NOT_AFFECTED, UNKNOWN
from mailrouter.flow import act
from mailrouter.flow.afterwards import revising
from mailrouter.flow.casework import publicity, standings
from mailrouter.flow.cves import assigning
from mailrouter.flow.embargo import consenting
from mailrouter.store import cases, journal, proposals, queues, vulnerabilities
from mailrouter.store.proposals import Proposal

ROUTER = "mailrouter"
_ORDER = tuple(What)  # Affected before the rest: a fix needs a vendor that is affected


def by_itself(doing: act.Doing) -> None:
    """Take what the mail says and is sure; what cannot be taken stays open, for a person."""
    mail = doing.mail
    if mail is None or not mail.sure:
        return
    proof = {"message": mail.message_id, "fingerprint": mail.row["fingerprint"]}
    signed_at = mail.row["signed_at"]
    router = replace(doing, actor=ROUTER)
    _write_so_far(doing)
    for one in in_order(proposals.some(doing.tx, mail.sure)):
        fresh = proposals.get(doing.tx, one.id)
        if not fresh.is_open or not isinstance(signed_at, datetime) or _later_word(router, one, signed_at):
            continue
        try:
            with doing.tx.begin_nested():
                take(router, fresh, **proof)
        except faults.Fault:
            continue  # it is open, and the queue says what they say
    if doing.case is not None:
        revising.look(doing.tx, doing.tools, doing.case, f"message:{mail.message_id}", ROUTER)


def _write_so_far(doing: act.Doing) -> None:
    """What the mail itself changes comes before what is taken from it, in the rows and in the journal."""
    assert doing.case is not None
    later, chain = doing.later, journal.case_chain(doing.case.id)
    mine = {p.id for p in cases.participants_of(doing.tx, [doing.case.id])} & set(later.heard)
    cases.change_participants(doing.tx, [{"participant": one, **later.heard.pop(one)} for one in sorted(mine)])
    journal.write_all(doing.tx, [note for note in later.notes if note.chain == chain])
    later.notes[:] = [note for note in later.notes if note.chain != chain]


def in_order(chosen: Sequence[Proposal]) -> list[Proposal]:
    """As they are to be taken: of one mail together, and `Affected` first."""
    return sorted(chosen, key=lambda one: (one.message_id, _ORDER.index(What(one.what)), one.vulnerability))


def _later_word(doing: act.Doing, one: Proposal, signed_at: datetime) -> bool:
    """Whether they said something newer of it, or somebody recorded their status after this was signed."""
    recorded = [s for s in vulnerabilities.statuses(doing.tx, [one.case_id]) if s.participant_id == one.participant_id]
    return proposals.newer_taken(doing.tx, one, signed_at) or any(
        status.updated_at > signed_at and status.updated_by != ROUTER for status in recorded
    )


def take(doing: act.Doing, one: Proposal, **proof: object) -> None:
    """As the participant says. `Illegal`, with what to do instead, when that cannot be recorded, or it is decided."""
    still_open(one)
    participant = cases.participant(doing.tx, one.participant_id)
    if not participant.takes_part:
        raise faults.Illegal(f"{participant.name} takes part no more; nothing is recorded of it")
    _DOES[What(one.what)](doing, participant, one)
    _decided(doing, one, **proof)
    if one.what == What.AFFECTED and (reason := _reason(doing, one)) is not None:
        _decided(doing, reason, **proof)


def still_open(one: Proposal) -> None:
    """`Illegal` when it is decided, and by whom."""
    if not one.is_open:
        by = f" by {one.decided_by}" if one.decided_by else " by something newer of theirs"
        raise faults.Illegal(
            f"proposal {one.id} was {one.outcome} before,{by}; `mailrouter proposal list` shows the open ones"
        )


def _decided(doing: act.Doing, one: Proposal, **proof: object) -> None:
    proposals.decide(doing.tx, one.id, proposals.TAKEN, doing.actor, doing.now)
    told = {"participant": one.participant_id, "what": one.what, "sha256": one.sha256}
    _write(doing, "proposal.taken", proposal=one.id, **told, **proof)


# ---- kind by kind ----------------------------------------------------------------------------------------------------


def _affected(doing: act.Doing, participant: Participant, one: Proposal) -> None:
    word = answers.word(one.value)
    if not word:
        raise faults.Illegal(
            f"proposal {one.id} says none of: {', '.join(answers.WORDS)}; {_read(one)} and record what they mean with"
            f" `mailrouter participant status {_whose(one)}`"
        )
    reason = _reason(doing, one)
    status = {"yes": AFFECTED, "no": NOT_AFFECTED}.get(word, UNKNOWN)
    _state(doing, participant, one, status, reason.value if reason else "")
    if word == "not a vulnerability" and cases.participant(doing.tx, participant.id).progress != "disputed":
        standings.dispute(doing, participant, proposal=one.id)
    if word == "unknown" and "acknowledge" in lifecycle.legal(lifecycle.PROGRESS, participant.progress):
        standings.progress(doing, participant, "acknowledge", proposal=one.id)


def _read(one: Proposal) -> str:
    return f"read the mail with `mailrouter message show {one.message_id} --text`"


def _whose(one: Proposal) -> str:
    return f"VU#{one.vu} {shlex.quote(one.participant)}"


def _reason(doing: act.Doing, one: Proposal) -> Proposal | None:
    """Why not, from the same mail, for the same vulnerability; taken at once, only if it is sure itself."""
    same = proposals.of_messages(doing.tx, [one.message_id])
    about = (one.participant_id, one.vulnerability)
    found = (s for s in same if s.what == What.WHY_NOT and s.is_open and (s.participant_id, s.vulnerability) == about)
    sure = doing.mail.sure if doing.actor == ROUTER and doing.mail is not None else None
    return next((s for s in found if sure is None or s.id in sure), None)


def _state(doing: act.Doing, participant: Participant, one: Proposal, status: str, why: str) -> None:
    """For one vulnerability, or for all; what is known of a fix stays."""
    for number, before in _known(doing, one).items():
        fixed_in = before.fixed_in if before else ""
        standings.set_status(doing, participant, status, number=number, why=why, fixed_in=fixed_in, proposal=one.id)


def _known(doing: act.Doing, one: Proposal) -> dict[int, vulnerabilities.VendorStatus | None]:
    """What is recorded of each vulnerability that the proposal is about; `NotFound` when the case has none such."""
    numbers = [v.number for v in vulnerabilities.of_case(doing.tx, one.case_id)]
    chosen = [number for number in numbers if one.vulnerability in (0, number)]
    if not chosen:
        raise faults.NotFound(f"proposal {one.id} is about VU#{one.vu}.{one.vulnerability}, which there is not")
    recorded = vulnerabilities.statuses(doing.tx, [one.case_id])
    mine = {status.number: status for status in recorded if status.participant_id == one.participant_id}
    return {number: mine.get(number) for number in chosen}


def _why_not(doing: act.Doing, participant: Participant, one: Proposal) -> None:
    """Alone: why, of what they said already."""
    for number, before in _known(doing, one).items():
        if before is None or before.status == AFFECTED:
            raise faults.Illegal(
                f"proposal {one.id} says why not, and {participant.name} does not deny VU#{one.vu}.{number} as"
                " recorded; take what it says of that first"
            )
        standings.set_status(
            doing, participant, before.status, number=number, why=one.value, fixed_in=before.fixed_in, proposal=one.id
        )


def _fixed_in(doing: act.Doing, participant: Participant, one: Proposal) -> None:
    """The versions; once every vulnerability that they do not deny has one, their fix is ready.

    At once only if no date is promised that is still to come: the version may be the one they promised.
    """
    if doing.actor == ROUTER and participant.fix_expected_at is not None and participant.fix_expected_at > doing.now:
        raise faults.Illegal(f"{participant.name} promised its fix for {participant.fix_expected_at:%Y-%m-%d}")
    for number, before in _known(doing, one).items():
        status, why = (before.status, before.why) if before else (UNKNOWN, "")
        standings.set_status(doing, participant, status, number=number, why=why, fixed_in=one.value, proposal=one.id)
    fresh = cases.participant(doing.tx, participant.id)
    everything = _known(doing, replace(one, vulnerability=0)).values()
    fixed = all(s is not None and (s.fixed_in or s.status == NOT_AFFECTED) for s in everything)
    if fixed and not _promises(doing, one) and fresh.fix_ready_at is None:
        standings.informed(doing, fresh, doing.now)
        standings.fix(doing, fresh, "ready", doing.now, proposal=one.id)


def _promises(doing: act.Doing, one: Proposal) -> bool:
    """Whether the same mail promises the fix for later."""
    same = (s for s in proposals.of_messages(doing.tx, [one.message_id]) if s.what == What.FIX_EXPECTED)
    days = [promised.day for s in same if (promised := answers.expected(s.value)) is not None]
    return any(day > doing.now.date() for day in days)


def _fix_expected(doing: act.Doing, participant: Participant, one: Proposal) -> None:
    promised = answers.expected(one.value)
    if promised is None:
        raise faults.Illegal(
            f"proposal {one.id} names no one date; {_read(one)} and record it with"
            f" `mailrouter participant fix {_whose(one)} expected --at DATE`"
        )
    at = datetime.combine(promised.day, time(), UTC)
    standings.expect_fix(doing, participant, at, proposal=one.id)


def _we_need(doing: act.Doing, participant: Participant, one: Proposal) -> None:
    """Our turn; a notice says what they need, where the mail itself waits no longer."""
    case = doing.case
    assert case is not None
    plan: do.Actions = []
    since = f"message:{one.message_id}"
    if participant.waiting_on is not Waiting.US and case.goes_on:
        due_at = doing.now + timedelta(days=of_case(doing.tools.settings.policy, case).answer_days)
        plan += [
            do.Close(participant, do.CLOCKS_OF_SILENCE, "answered"),
            do.Turn(participant, Waiting.US, since),
            do.Set(participant, DeadlineKind.ANSWER, since, 1, due_at),
        ]
    if doing.actor != ROUTER and queues.of_message(doing.tx, one.message_id) is None:
        plan.append(do.Notice(case.queue, f"they need: {one.value}", f"we-need:{one.id}", participant))
    act.carry_out(doing, plan)


def _their_ref(doing: act.Doing, participant: Participant, one: Proposal) -> None:
    cases.change_participant(doing.tx, participant.id, their_ref=one.value)
    _write(doing, "participant.set", participant=participant.id, what=["their_ref"])


def _embargo(doing: act.Doing, participant: Participant, one: Proposal) -> None:
    """Consent to a date, its refusal, or another date."""
    by_itself_at = doing.mail.row["signed_at"] if doing.actor == ROUTER and doing.mail is not None else None
    consenting.taken(doing, participant, one, by_itself_at)


def _known_to_all(doing: act.Doing, participant: Participant, one: Proposal) -> None:
    """Since the day they name, if it is over, else from now on: public, an exploit, or attacks."""
    assert doing.case is not None
    named = answers.expected(one.value)
    since = datetime.combine(named.day, time(), UTC) if named and named.sure else doing.now
    case = cases.get(doing.tx, doing.case.id)
    why = f"{participant.pseudonym or 'a participant'} says so in message {one.message_id}"
    publicity.marked(doing, case, str(one.what), min(since, doing.now), why, proposal=one.id)


def _cve(doing: act.Doing, participant: Participant, one: Proposal) -> None:
    assigning.as_said(doing, participant, one.vulnerability, one.value, one.id, by_itself=doing.actor == ROUTER)


_DOES: dict[What, Callable[[act.Doing, Participant, Proposal], None]] = {
    What.AFFECTED: _affected,
    What.WHY_NOT: _why_not,
    What.FIXED_IN: _fixed_in,
    What.FIX_EXPECTED: _fix_expected,
    What.WE_NEED: _we_need,
    What.CVE: _cve,
    What.THEIR_REF: _their_ref,
    What.EMBARGO: _embargo,
    What.PUBLIC: _known_to_all,
    What.EXPLOIT: _known_to_all,
    What.ATTACKS: _known_to_all,
}


def _write(doing: act.Doing, kind: str, /, **data: object) -> None:
    assert doing.case is not None
    journal.write(doing.tx, journal.case_chain(doing.case.id), doing.now, kind, doing.actor, **data)
