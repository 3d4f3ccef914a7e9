"""(what happened, policy, now) -> what to do. The rules of the router, to be read from top to bottom.

A VU# routes; it never authorises. Machines change no turn. An answer that counts turns the turn to us; a statement that
stands ends the waiting.
"""

import shlex
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from mailrouter.case import (
    casestate,
    clocks,
    conditions,
    followup,
    lifecycle,
    orders,
    proposals,
    receipt,
    returned,
    vouching,
)
from mailrouter.case.actions import (
    ALL_CLOCKS,
    CLOCKS_OF_SILENCE,
    Actions,
    ClearText,
    Close,
    DraftSeen,
    File,
    Heard,
    Informed,
    KeepStatement,
    Notice,
    Reachable,
    Receipt,
    Reopen,
    Set,
    Turn,
    Vouch,
)
from mailrouter.case.events import CaseDue, DraftAnswer, FellDue, MailArrived, Meant, ReportDue, Returned
from mailrouter.case.model import Case, DeadlineKind, Participant, Place, Report, Waiting
from mailrouter.case.policy import Policy, of_case
from mailrouter.case.receipt import Kind, Lack
from mailrouter.case.standing import Assurance, Standing

Event = MailArrived | FellDue | CaseDue | ReportDue | Returned

REPORTS = ("bounce", "delay", "dsn-success")
REPORTER_CAME_BACK = "letter {letter} came back: `mailrouter outbox show {letter}` says to whom it went"
STAFF_CAME_BACK = "a notice to one of us came back: `mailrouter outbox show {letter}` says to whom it went"


def after(event: Event, policy: Policy, now: datetime) -> Actions:
    """The plan for one event. `policy`: the house's; a case's own numbers go before it."""
    policy = policy if isinstance(event, ReportDue) else of_case(policy, event.case)
    if isinstance(event, FellDue):
        return followup.due(event, policy, now)
    if isinstance(event, CaseDue | ReportDue):
        return clocks.due(event, policy, now)
    if isinstance(event, Returned):
        return returned.came_back(event)
    if event.order is not None:
        return orders.filed(event, event.order)
    if event.copy_of is not None:
        why = f"a copy of message {event.copy_of}, by another road"
        return [replace(file, queue=None, why=why, begins=False) for file in _file(event)]
    arrived = _file(event) + orders.unaddressed(event) + _reopened(event) + _turn(event, policy, now)
    arrived += _draft_seen(event)
    arrived += _clear_text(event)  # after their turn: the details that follow ask them
    arrived += [*proposals.alarms(event), *proposals.proposed(event, now)]
    return arrived + _receipt(event) + _about_a_letter(event, now)


def _file(event: MailArrived) -> list[File]:
    """Where the mail goes."""
    routed, case = event.routed, event.case
    if event.kind in REPORTS:
        return [_report(event)]
    if case is None and event.suspicion and routed.place is not Place.QUARANTINE:
        why = f"{event.suspicion}; {routed.why}" if routed.place is Place.REVIEW else event.suspicion
        return [File(Place.REVIEW, "review", why, suggested_vu=routed.suggested_vu)]
    if case is None and routed.report is not None:
        together = _with_report if routed.place is Place.TRIAGE else _with_mail
        return [together(event, routed.report)]
    if case is None:
        begins = _is_report(event)
        return [File(routed.place, str(routed.place), routed.why, suggested_vu=routed.suggested_vu, begins=begins)]
    if not _is_theirs(event) and not _is_proved(event):
        return [File(Place.REVIEW, "review", event.stranger_why, suggested_vu=case.vu)]
    if event.kind != "person" and event.doubt:
        return [File(Place.FILED, case.queue, f"looks automatic: {event.doubt}", in_case=True)]
    if event.kind != "person":
        return [File(Place.FILED, None, f"automatic: {event.kind}", in_case=True)]
    queue = None if _only_acknowledges(event) else case.queue
    return [File(Place.FILED, queue, _reason(event, case), in_case=True, says=proposals.told(event))]


def _is_report(event: MailArrived) -> bool:
    """Whoever writes to us and names no case reports something, until a person says otherwise (seeds 000)."""
    person = event.kind == "person" and not event.doubt
    return event.routed.place is Place.TRIAGE and person and not event.from_us


def _with_report(event: MailArrived, report: Report) -> File:
    """More about a report that has no case: whoever decides reads it, decided or not. Of machines nobody hears."""
    why, queue = f"about {report.vrf}", "triage"
    if event.kind != "person":
        why = f"{why}, looks automatic: {event.doubt}" if event.doubt else f"{why}, automatic: {event.kind}"
        queue = "triage" if event.doubt else ""
    return File(Place.TRIAGE, queue or None, why, report=report)


def _with_mail(event: MailArrived, number: Report) -> File:
    """It goes on from a mail that nobody calls a report. What a machine answers to our receipt lies with that mail."""
    if event.kind != "person" and not event.doubt:
        return File(Place.REVIEW, None, f"about {number.vrf}, automatic: {event.kind}", report=number)
    return File(Place.REVIEW, "review", event.routed.why)


def _report(event: MailArrived) -> File:
    """Reports wait with the bounces; one about a letter of a case is in the case too. Whoever reads them sees which.

    One about a notice to our own staff waits nowhere: its arrival would be told by another such notice.
    """
    about, case = event.about, event.case
    why = f"a {event.kind} report" + (f" about letter {about.letter_id}" if about else "")
    if about and not about.proved:
        why += ", which anybody could have written"
    in_case = case is not None and (about is not None or _is_theirs(event))
    queue = None if about and about.to_staff else "bounces"
    return File(Place.BOUNCES, queue, why, in_case, case.vu if case else event.routed.suggested_vu)


def _about_a_letter(event: MailArrived, now: datetime) -> Actions:
    """What a machine's mail about a letter of ours changes."""
    about = event.about
    if about is None or event.kind != "bounce":
        return []
    if about.to_staff and about.proved:
        why = STAFF_CAME_BACK.format(letter=about.letter_id)
        return [Notice("operator", why, f"staff-came-back:{now:%Y-%m-%d}")]
    if about.report_id is not None:
        why, once = REPORTER_CAME_BACK.format(letter=about.letter_id), f"letter:{about.letter_id}:returned"
        return [Notice("triage", why, once, report_id=about.report_id)] if about.proved else []
    return returned.came_back(about.returned) if about.returned else []


def _is_proved(event: MailArrived) -> bool:
    """A machine's mail to the bounce address of a letter of this case: whoever sent it, it is about that letter."""
    return event.kind != "person" and event.about is not None and event.about.proved


def _is_theirs(event: MailArrived) -> bool:
    return event.case is not None and event.participant is not None and event.standing is not Standing.STRANGER


def _reason(event: MailArrived, case: Case) -> str:
    if case.is_open:
        return _says(event)
    if case.goes_on or _reopens(event):
        how = "is published" if case.goes_on else REOPENS.format(standing=event.standing)
        return f"{_says(event)}; the case {how}"
    return f"the case is {case.state}"


REOPENS = "was closed, and goes on (its sender: {standing})"


def _says(event: MailArrived) -> str:
    if _vouched(event):
        return "confirms the text we asked about"
    if event.meant:
        return "statement"
    if event.confirms:
        return f"answer about a text to be confirmed: {vouching.refusal(event.confirms)}"
    if event.doubt:
        return f"does not count as an answer: {event.doubt}"
    if not event.counts and event.signed.came_before:
        return f"does not count as an answer: {receipt.reason(Lack(event.signed.flags[0]))}"
    if event.counts and event.draft:
        return _of_the_draft(event.draft, event)
    return "answer" if event.counts else f"{event.standing}: does not count as an answer"


UNPROVED = (
    "says that they have the draft, which anybody could have written: once it is sure, `mailrouter note acknowledged`"
)


def _of_the_draft(draft: DraftAnswer, event: MailArrived) -> str:
    if draft.comments:
        return "comments on the draft"
    return "has the draft" if _has_draft(draft, event) else UNPROVED


def _has_draft(draft: DraftAnswer, event: MailArrived) -> bool:
    """Whether it is sure that they have it: by what proves the mail, or by the letter that it answers."""
    return draft.answers or proposals.surely(event)


def _draft_seen(event: MailArrived) -> list[DraftSeen]:
    """They have the draft that we showed them; what they say of it a person reads, whether that is sure or not."""
    participant, draft = event.participant, event.draft
    counts = event.counts and event.kind == "person" and not event.doubt and _is_theirs(event)
    if participant is None or draft is None or not counts:
        return []
    sure = _has_draft(draft, event)
    return [DraftSeen(participant, draft.revision_id, draft.comments, sure)] if sure or draft.comments else []


def _only_acknowledges(event: MailArrived) -> bool:
    """Nobody needs to read that they have a draft; and it answers none of our questions."""
    seen = bool(_draft_seen(event)) and event.draft is not None and not event.draft.comments
    return seen and event.case is not None and event.case.is_open and not (event.meant or event.confirms)


def _clear_text(event: MailArrived) -> Actions:
    """One line of an answer allows clear text, or withdraws it; if it is not surely theirs, a person decides."""
    said, participant, case = event.clear_text, event.participant, event.case
    if said is None or participant is None or case is None or event.kind != "person" or not _is_theirs(event):
        return []
    if said.sure:
        return [ClearText(participant, said.allowed, said.proved)]
    word = "yes" if said.allowed else "no"
    why = (
        f"a mail says 'Clear text: {word}', but not surely by {participant.name}; once they confirmed it:"
        f" `mailrouter participant set VU#{case.vu} {shlex.quote(participant.name)} --clear-text {word}"
        " --why 'they confirmed it'`"
    )
    return [Notice(case.queue, why, f"clear-text:{event.since}", participant)]


REOPENED = "a participant wrote"


def _reopened(event: MailArrived) -> list[Reopen]:
    return [Reopen(REOPENED)] if _reopens(event) else []


def _reopens(event: MailArrived) -> bool:
    """A participant's mail that counts, in a case that was closed: not a stranger's, and never a machine's."""
    case, person = event.case, event.kind == "person" and not event.doubt
    return case is not None and case.state == "closed" and person and event.counts and _is_theirs(event)


def _turn(event: MailArrived, policy: Policy, now: datetime) -> Actions:
    """Whose turn it is after this mail."""
    participant, case = event.participant, event.case
    if case is None or participant is None or event.kind != "person" or not _is_theirs(event):
        return []
    kept = _vouched(event) or _statement(event, participant)
    if not event.counts or not (case.goes_on or _reopens(event)):
        return [*kept]
    if _only_acknowledges(event):
        return [Heard(participant, _has_it(participant))]
    heard: Actions = [Heard(participant, lifecycle.follow(lifecycle.PROGRESS, ("answer",), participant.progress)[-1])]
    if casestate.informed(participant, now):
        heard.append(Informed(participant))
    if event.speaks_again:
        heard.append(Reachable(participant, event.speaks_again))
    if kept and _stands(kept[0]):
        return [*kept, *heard, Close(participant, ALL_CLOCKS, "statement"), Turn(participant, Waiting.NOBODY, None)]
    return [*kept, *heard, *_our_turn(event, participant, policy, now)]


def _has_it(participant: Participant) -> str:
    """Who never answered has acknowledged; with everybody else it is as it was."""
    if participant.progress in lifecycle.PROGRESS["answer"] and participant.progress != "answered":
        return lifecycle.follow(lifecycle.PROGRESS, ("acknowledge",), participant.progress)[-1]
    return participant.progress


def _our_turn(event: MailArrived, participant: Participant, policy: Policy, now: datetime) -> Actions:
    if participant.waiting_on is Waiting.US:
        return []  # the first mail we owe an answer to keeps the clock
    closed = Close(participant, CLOCKS_OF_SILENCE, "answered")
    due_at = now + timedelta(days=policy.answer_days)
    return [
        closed,
        Turn(participant, Waiting.US, event.since),
        Set(participant, DeadlineKind.ANSWER, event.since, 1, due_at),
    ]


def _stands(order: KeepStatement | Vouch) -> bool:
    return isinstance(order, Vouch) or order.state == "verified"


def _vouched(event: MailArrived) -> Sequence[Vouch]:
    """The vendor's word for a text we returned to them: it stands as a signed one does."""
    said, participant = event.confirms, event.participant
    if said is None or participant is None or vouching.refusal(said):
        return []
    return [Vouch(participant, said.asked.id, said.voucher_id, "mail")]


def _statement(event: MailArrived, participant: Participant) -> Sequence[KeepStatement]:
    """Meant, verified and bound: it stands. Meant but less than that: held, with the reason."""
    if event.meant is None or not participant.is_vendor:
        return []
    lack = _lack(event)
    state, reason = ("held", _reason_of(lack, event.meant)) if lack else ("verified", "")
    return [KeepStatement(participant, state, reason, event.signed.bound)]


def _reason_of(lack: Lack, meant: Meant) -> str:
    """As people read it; of a signature that is none, what exactly is wrong with it."""
    return (meant.reason if lack in receipt.OF_WORTH else "") or receipt.reason(lack)


def _lack(event: MailArrived) -> Lack | None:
    """What keeps a statement from standing; None when nothing does."""
    meant, signed = event.meant, event.signed
    assert meant is not None
    lacks = (
        (event.assurance is not Assurance.VERIFIED, str(event.assurance)),
        (meant.empty, "empty"),
        *((flag.lacks(signed), flag.costs) for flag in conditions.FLAGS),
        (not event.signed_after_latest, "older"),
        (meant.quotes, "quotes"),
    )
    return next((Lack(lack) for holds, lack in lacks if holds), None)


def _receipt(event: MailArrived) -> list[Receipt]:
    """Who is told what we made of it: who certainly wrote, and of a held statement the registered contact."""
    participant = event.participant
    if participant is None or not event.answerable or not _is_theirs(event):
        return []
    kept = _vouched(event) or _statement(event, participant)
    confirmed = bool(kept) and isinstance(kept[0], Vouch)  # only the registered contact was given that address
    writer = event.writer if confirmed or event.standing >= Standing.AUTHENTICATED else ""
    lack = _lack(event) if event.meant and kept and not _stands(kept[0]) else None
    kind = Kind.HELD if lack else _kind(kept)
    if not writer and kind is not Kind.HELD:
        return []
    return [Receipt(participant, kind, event.assurance, lack, writer, event.writer)]


def _kind(kept: Sequence[KeepStatement | Vouch]) -> Kind:
    if not kept:
        return Kind.ANSWER
    return Kind.CONFIRMED if isinstance(kept[0], Vouch) else Kind.STANDS
