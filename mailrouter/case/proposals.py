"""What a mail says becomes proposals; which of them are taken at once, and which wait for a person.

A VU# routes, it never authorises: whoever signed it, a fact read out of a mail is a proposal first. It is taken at once
only if the mail is verified, has no flag, was signed for this case, and says it in the sender's own words in a form
that can mean one thing only. A line in quoted text may be somebody else's, so a person looks at it. A mail that is
meant as a statement is a statement: its lines are proposals if it is verified, and never more.
"""

import re
from datetime import datetime

from mailrouter.case import answers, casestate
from mailrouter.case.actions import Notice, Propose
from mailrouter.case.answers import Said, Source, What
from mailrouter.case.events import MailArrived
from mailrouter.case.model import Case, Participant
from mailrouter.case.standing import Assurance, Standing

SAYS = "; says: "  # in the reason of a queue item: behind it stand their words, which leave in no letter in clear
_MOST = 8  # lines in such a reason
_LONGEST = 60  # characters of a value in such a reason


def proposed(event: MailArrived, now: datetime) -> list[Propose]:
    """The proposals of a mail, those that are taken at once among them."""
    said = _said(event)
    if not said or event.participant is None:
        return []
    sure = frozenset(one for one in said if _proved(event) and certain(one, now))
    return [Propose(event.participant, said, sure)]


def told(event: MailArrived) -> str:
    """What the queue says besides the reason; '' when it says nothing."""
    said = [one for one in _said(event) if one.what is not What.THEIR_REF]
    lines = [answers.line(one.what, _short(one.value), one.vulnerability) for one in said[:_MOST]]
    more = [f"and {len(said) - _MOST} more"] if len(said) > _MOST else []
    return SAYS + "; ".join([*lines, *more]) if said else ""


def _short(value: str) -> str:
    return value if len(value) <= _LONGEST else value[: _LONGEST - 1].rstrip() + "…"


def _said(event: MailArrived) -> tuple[Said, ...]:
    """Of who takes part, and is no stranger: what the form asks vendors only of these, a reference of theirs of other
    coordinators too, what is said of the embargo and of what the world knows of everybody.
    """
    participant = event.participant
    if participant is None or event.case is None or not participant.takes_part:
        return ()
    person = event.kind == "person" and not event.doubt and event.standing is not Standing.STRANGER
    if not person or event.signed.came_before:
        return ()
    known = tuple(one for one in event.says if one.what in answers.KNOWN and _is_news(event.case, one.what))
    if event.meant and not _is_good(event):
        return known
    theirs = {What.EMBARGO} | ({What.THEIR_REF} if "coordinator" in participant.roles else set())
    rest = (one for one in event.says if one.what not in answers.KNOWN)
    return (*(one for one in rest if participant.is_vendor or one.what in theirs), *known)


def _is_news(case: Case, what: What) -> bool:
    """Whether the case does not have it yet: once it is public, everybody says so."""
    return getattr(case, casestate.BITS[what]) is None


def alarms(event: MailArrived) -> list[Notice]:
    """Somebody says that the world knows: whoever owns the case hears of it before all else (DOMAIN.md, process 7)."""
    participant, case = event.participant, event.case
    if participant is None or case is None:
        return []
    told = [one.what for one in _said(event) if one.what in answers.KNOWN]
    return [
        Notice(case.queue, _alarm(case, participant, one), f"{ALARM}{event.since}:{one}", participant) for one in told
    ]


ALARM = "alarm:"  # how the key of a notice begins that goes before all others
_SAY = {
    What.PUBLIC: "that it is public",
    What.EXPLOIT: "that an exploit is public",
    What.ATTACKS: "that attacks are seen",
}


def _alarm(case: Case, participant: Participant, what: What) -> str:
    if not case.is_open:
        return f"{participant.name} says {_SAY[what]}: read the mail"
    return (
        f"{participant.name} says {_SAY[what]}: read the mail, then `mailrouter case {what} VU#{case.vu} --why …`, or"
        f" refuse the proposal (`mailrouter proposal list VU#{case.vu}`)"
    )


def _is_good(event: MailArrived) -> bool:
    return event.assurance is Assurance.VERIFIED and not event.signed.flags


def surely(event: MailArrived) -> bool:
    """Verified, bound, without a flag: nobody else than its sender says what it says."""
    return event.counts and not event.suspicion and event.standing is Standing.SIGNED and _is_good(event)


def _proved(event: MailArrived) -> bool:
    """An answer in a case that goes on, surely theirs."""
    return event.case is not None and event.case.goes_on and not event.meant and surely(event)


_RELEASED = re.compile(r"(?=.{0,99}[0-9]).{1,100}")
_NOT_YET = re.compile(
    r"\b(?:will|would|plan\w*|next|soon|expect\w*|coming|upcoming|future|partial\w*|not|no|if|maybe|scheduled|eta)\b"
    r"|\?", re.IGNORECASE,
)  # fmt: skip


def certain(said: Said, now: datetime) -> bool:
    """Whether it can mean one thing only, and is said in their own words."""
    if said.source is not Source.OWN:
        return False
    match said.what:
        case What.AFFECTED:
            return answers.is_plain(said.value) and answers.word(said.value) != ""
        case What.FIXED_IN:
            return _RELEASED.fullmatch(said.value) is not None and _NOT_YET.search(said.value) is None
        case What.FIX_EXPECTED:
            promised = answers.expected(said.value)
            return promised is not None and promised.sure and promised.day > now.date()
        case What.EMBARGO:
            return answers.consent(said.value) != ""  # another date is for a person, whoever asks for it
        case What.PUBLIC | What.EXPLOIT | What.ATTACKS:
            return False
    return True
