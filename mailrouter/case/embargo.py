"""The 45-day clock: planned publication, moved to a working day; and what letters say of it and of the embargo.

Promises: every date that a letter names is an exact instant, in UTC and in the zone in which it was given; who asked
for one is told by pseudonym, and of who is hidden nothing at all.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from string import Template
from zoneinfo import ZoneInfo

from mailrouter.case.model import Case, Participant
from mailrouter.case.policy import Policy
from mailrouter.case.terms import ACCEPTED, DECLINED, Terms

SATURDAY = 5

_PLANNED = (
    "For this case we plan to publish on $planned. Please tell us if you need another date, and why. We may"
    " publish earlier if the vulnerability is exploited or becomes public."
)
_SHORTLY = "Planned publication: $planned"
_STILL = "We plan to publish on $planned, and may do so earlier."
_OVER = "The embargo has ended."
_NONE = "There is no embargo."
_PUBLIC = "The vulnerability has been public since $since."
_EXPLOIT = "An exploit has been public since $since."
_ATTACKS = "Attacks have been seen since $since."
_KEEP = "Please keep the details confidential until we publish."
_KEEP_NO_MORE = "The embargo has ended: you need not wait for our publication to warn those whom you must protect."
_AT_ONCE = (
    "We will publish as soon as our note is ready, and do not wait for the date that was planned. Please publish what"
    " protects your users as soon as you can."
)
_FROM_NOW = "We may publish from now on. Our plan was $planned."
_WE_ASK = "We propose another date for the publication of $vu."
_YOU_ASKED = "You asked for another date for the publication of $vu."
_THEY_ASK = "$asker has asked for another date for the publication of $vu."
_SOMEBODY_ASKS = "A participant has asked for another date for the publication of $vu."
_UNTIL_NOW = "Until another date is agreed, the embargo ends on $ends."
_NONE_YET = "No date has been agreed yet."
_SHORTER = "Of the dates that are proposed, the earliest stands until one is agreed: $stands."
_AGREED_BY_YOU = "You have agreed to this date."
_DECLINED_BY_YOU = "You have declined this date and are not bound by it."
_NO_ANSWER = "We have no answer of yours to this date, and silence is no consent. Please tell us whether you agree."
SENTENCES = (  # that letters may hold
    _PLANNED, _SHORTLY, _STILL, _OVER, _NONE, _PUBLIC, _EXPLOIT, _ATTACKS, _KEEP, _KEEP_NO_MORE, _AT_ONCE, _FROM_NOW,
    _WE_ASK, _YOU_ASKED, _THEY_ASK, _SOMEBODY_ASKS, _UNTIL_NOW, _NONE_YET, _SHORTER, _AGREED_BY_YOU, _DECLINED_BY_YOU,
    _NO_ANSWER,
)  # fmt: skip


def planned_publication(first_contact: datetime, policy: Policy) -> datetime:
    """45 days after the first contact (seeds 003, step 4), moved to a working day; an exact instant, UTC."""
    return working_day(first_contact + timedelta(days=policy.embargo_days))


def replanned(first_contact: datetime, policy: Policy, now: datetime) -> datetime:
    """The same by another number of days; never in the past: then it is the next working day from now."""
    return max(planned_publication(first_contact, policy), working_day(now))


def working_day(instant: datetime) -> datetime:
    """The instant itself, or the same time on the Monday after it. Public holidays are nobody's business here."""
    while instant.weekday() >= SATURDAY:
        instant += timedelta(days=1)
    return instant


def instant(at: datetime | None, zone: str = "UTC") -> str:
    """As every letter writes it: `2026-12-31 14:00 UTC (15:00 Europe/Berlin)`."""
    if at is None:
        return "a date not yet set"
    said = f"{at:%Y-%m-%d %H:%M} UTC"
    if zone == "UTC":
        return said
    there = at.astimezone(ZoneInfo(zone))
    return f"{said} ({there:%H:%M}{'' if there.date() == at.date() else f' on {there:%Y-%m-%d}'} {zone})"


def words(case: Case, zone: str = "UTC") -> dict[str, str]:
    """What letters say of publication: our plan; or since when the world knows, and what became of the embargo.

    `zone`: in which our date was given.
    """
    planned = instant(case.planned_at, zone)
    over = case.embargo == "EXITED" or case.public_at is not None
    told = {"planned": planned, "keep": _KEEP_NO_MORE if over else _KEEP}
    if known := _known(case):
        said = f"{known} {Template(_EMBARGO.get(case.embargo, _NONE)).substitute(planned=planned)}"
        return told | {"publication": said, "when": said}
    return told | {name: Template(text).substitute(planned=planned) for name, text in _PLANS.items()}


_PLANS = {"publication": _PLANNED, "when": _SHORTLY}
_EMBARGO = {"EXITED": _OVER, "ACTIVE": _STILL, "REVISE": _STILL}


def _known(case: Case) -> str:
    known = ((_PUBLIC, case.public_at), (_EXPLOIT, case.exploit_public_at), (_ATTACKS, case.attacks_at))
    return " ".join(Template(what).substitute(since=instant(at)) for what, at in known if at is not None)


def ending(case: Case, zone: str = "UTC") -> dict[str, str]:
    """What the letter about its end says: when, what the world knows, and what we do next."""
    at_once = case.public_at is not None or case.exploit_public_at is not None
    after = Template(_AT_ONCE if at_once else _FROM_NOW).substitute(planned=instant(case.planned_at, zone))
    return {"ends": instant(case.embargo_ends_at), "known": _known(case), "next": after}


@dataclass(frozen=True, slots=True)
class Asked:
    """A date that is proposed, as participants are told of it."""

    vu: int
    terms: Terms
    agreed: Terms | None  # what is in force
    first: Terms  # the proposal that stands
    asker: Participant | None  # None: we are


def proposal(asked: Asked, to: Participant) -> dict[str, str]:
    """What the letter about it says to one participant."""
    earlier = asked.agreed is None and asked.first.id != asked.terms.id  # what is agreed holds until then
    return {
        "asks": _asks(asked.asker, to, asked.vu), "proposed": ends(asked.terms), "until_now": until_now(asked.agreed),
        "shorter": Template(_SHORTER).substitute(stands=ends(asked.first)) if earlier else "",
    }  # fmt: skip


def ends(one: Terms) -> str:
    """When it ends, as every letter writes it."""
    return instant(one.ends_at, one.zone)


def until_now(agreed: Terms | None) -> str:
    """What holds until something else is agreed."""
    return Template(_UNTIL_NOW).substitute(ends=ends(agreed)) if agreed else _NONE_YET


def _asks(asker: Participant | None, to: Participant, vu: int) -> str:
    if asker is None:
        text = _WE_ASK
    elif asker.id == to.id:
        text = _YOU_ASKED
    else:
        text = _THEY_ASK if asker.pseudonym and not asker.anonymous else _SOMEBODY_ASKS
    return Template(text).substitute(vu=f"VU#{vu}", asker=asker.pseudonym if asker else "")


def agreement(one: Terms, to: Participant) -> dict[str, str]:
    """What the letter about what is agreed says to one participant."""
    said = {ACCEPTED: _AGREED_BY_YOU, DECLINED: _DECLINED_BY_YOU}.get(one.answer_of(to.id), _NO_ANSWER)
    return {"ends": ends(one), "said": said}
