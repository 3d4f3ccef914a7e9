"""Dates for publication that somebody proposed, what participants answered, and what is agreed (DOMAIN.md, Embargo).

Promises: EM and every participant's consent move by their tables only; nobody is a signatory but by an answer of its
own; of several open proposals the one that ends first stands until one is agreed. Our published policy is the first
proposal, agreed when vendors are contacted under it; it names the same date as our plan until something is negotiated.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from mailrouter import faults
from mailrouter.case import lifecycle
from mailrouter.case.lifecycle import CONSENT, EMBARGO
from mailrouter.case.model import Case, Participant

INVITED, ACCEPTED, DECLINED = "invited", "accepted", "declined"
ANSWERS = (ACCEPTED, DECLINED)
PROPOSED, AGREED, REFUSED, LAPSED, REPLACED = "proposed", "agreed", "refused", "lapsed", "replaced"
POLICY = "mailrouter"  # who proposes what our published policy says


@dataclass(frozen=True, slots=True)
class Consent:
    """What one participant answered to one date."""

    terms_id: int
    participant_id: int
    answer: str  # invited | accepted | declined
    at: datetime
    by: str  # message:ID, or the analyst who recorded it; '' for who was only invited


@dataclass(frozen=True, slots=True)
class Terms:
    """One date, whoever proposed it, with the answers to it."""

    id: int
    case_id: int
    number: int  # 1, 2, ... in the case
    ends_at: datetime
    zone: str  # in which it was given, and is said
    participant_id: int | None  # who asked for it; None: we did
    message_id: int | None
    proposed_at: datetime
    proposed_by: str
    why: str
    state: str  # proposed | agreed | refused | lapsed | replaced
    decided_at: datetime | None
    decided_by: str
    decided_why: str
    answers: Mapping[int, Consent] = field(default_factory=dict)  # by participant id

    @property
    def is_open(self) -> bool:
        """Whether nobody has decided about it."""
        return self.state == PROPOSED

    @property
    def is_policy(self) -> bool:
        """Whether it is only what our published policy says: nobody negotiated it."""
        return self.proposed_by == POLICY and self.participant_id is None

    def answer_of(self, participant_id: int) -> str:
        """accepted | declined | invited | '' (never asked)."""
        found = self.answers.get(participant_id)
        return found.answer if found else ""

    def who(self, answer: str) -> set[int]:
        """Ids of the participants who answered so."""
        return {one.participant_id for one in self.answers.values() if one.answer == answer}


# ---- which of them counts --------------------------------------------------------------------------------------------


def in_force(everything: Iterable[Terms]) -> Terms | None:
    """What is agreed now."""
    return max((one for one in everything if one.state == AGREED), key=lambda one: one.number, default=None)


def stands(everything: Iterable[Terms]) -> Terms | None:
    """Of the open proposals the one that ends first (DOMAIN.md: the shorter stands until a revision is agreed)."""
    return min((one for one in everything if one.is_open), key=lambda one: (one.ends_at, one.number), default=None)


def newest_open(everything: Iterable[Terms]) -> Terms | None:
    """The one proposed last, of those nobody has decided about."""
    return max((one for one in everything if one.is_open), key=lambda one: one.number, default=None)


def asked_about(everything: Sequence[Terms]) -> Terms | None:
    """What a bare "accept" is about: the newest open proposal, else what is agreed."""
    return newest_open(everything) or in_force(everything)


def negotiated(everything: Iterable[Terms]) -> bool:
    """Whether somebody agreed on another date than our policy's: a number of days moves it no more."""
    agreed = in_force(everything)
    return agreed is not None and not agreed.is_policy


# ---- EM --------------------------------------------------------------------------------------------------------------

ALIVE = ("PROPOSED", "ACTIVE", "REVISE")  # something is proposed or agreed
BEGUN = ("propose", "accept")  # vendors are contacted under our published policy
BEGUN_BESIDE = ("accept", "revise")  # the same, while another date is proposed already
ENDED = ("terminate", "reject")


def begun(embargo: str) -> list[str]:
    """The states on the way when our policy comes into force."""
    return lifecycle.follow(EMBARGO, BEGUN_BESIDE if embargo == "PROPOSED" else BEGUN, embargo)


def proposed(embargo: str) -> str:
    """The state once somebody has proposed a date. `Illegal` when the embargo is over."""
    if "revise" in lifecycle.legal(EMBARGO, embargo):
        return lifecycle.move(EMBARGO, "revise", embargo)
    return lifecycle.move(EMBARGO, "propose", embargo)


def undecided(embargo: str, *, still_open: bool) -> str:
    """The state once a proposal was refused or lapsed: unchanged while another is open."""
    return embargo if still_open else lifecycle.follow(EMBARGO, ("reject",), embargo)[-1]


def ended(embargo: str) -> list[str]:
    """The states on the way when it ends; one alone: there is none to end."""
    way = lifecycle.follow(EMBARGO, ENDED[:1], embargo)
    return way if len(way) > 1 else lifecycle.follow(EMBARGO, ENDED, embargo)


def need_some(case: Case) -> Case:
    """The case; `Illegal` when there is no embargo, and none is proposed."""
    if len(ended(case.embargo)) == 1:
        raise faults.Illegal(f"VU#{case.vu} has no embargo now (it is {case.embargo.lower()}); nothing can be changed")
    return case


# ---- consent ---------------------------------------------------------------------------------------------------------

_BY_ANSWER = {  # the moves that an answer to what is in force makes, each if it may be made then
    ACCEPTED: ("invite", "accept"),
    DECLINED: ("revise", "decline"),
    INVITED: ("revise", "invite"),
    "": ("revise", "invite"),
}


def consent_after(consent: str, answer: str) -> str:
    """A participant's consent once this is its answer to what is in force; without one it is invited, whatever it was.

    Silence is never consent: only `accepted` leads to SIGNATORY.
    """
    return lifecycle.follow(CONSENT, _BY_ANSWER[answer], consent)[-1]


def consent_again(consent: str) -> str:
    """The same of who is written to under the same terms once more: what it answered stands."""
    return lifecycle.follow(CONSENT, ("invite",), consent)[-1] if consent == "NO_EMBARGO" else consent


def released(consent: str) -> str:
    """Once there is nothing to consent to."""
    return lifecycle.move(CONSENT, "reset", consent)


def bound(everyone: Iterable[Participant]) -> list[Participant]:
    """Who agreed to the embargo there is."""
    return [one for one in everyone if one.takes_part and one.consent == "SIGNATORY"]


def objectors(one: Terms, agreed: Terms | None, everyone: Iterable[Participant]) -> list[Participant]:
    """Who declined a date that is later than what is agreed: an extension needs a person's decision despite them."""
    if agreed is None or one.ends_at <= agreed.ends_at:
        return []
    return [each for each in everyone if each.takes_part and one.answer_of(each.id) == DECLINED]


def reached(one: Participant) -> bool:
    """Whether letters about the embargo go to it: it takes part, and was contacted or wrote to us."""
    begun = one.progress not in lifecycle.PROGRESS["contact"] or one.first_contact_at or one.last_heard_at
    return one.takes_part and bool(begun or one.rm != "START")


# ---- dates -----------------------------------------------------------------------------------------------------------


def zone(name: str) -> ZoneInfo:
    """A zone by its name in the tz database; `Refused` for what is none."""
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        raise faults.Refused(f"{name!r} is no time zone; write one like Europe/Berlin, or UTC") from None


def still_to_come(instant: datetime, now: datetime) -> datetime:
    """The instant, in UTC. `Refused` in the past: nobody can agree to what is over."""
    if instant <= now:
        meant = f"{instant.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        raise faults.Refused(f"that is {meant}, which lies in the past: an embargo ends on a date still to come")
    return instant.astimezone(UTC)


Given = date | datetime  # a day, or an instant; of an instant without an offset the zone must be named
USUAL = time(14)  # UTC, as long as a case has no plan


def resolved(given: Given, zone_name: str, case: Case) -> datetime:
    """The instant that is meant, in UTC: of a day alone, at the time of day of our plan. `Refused` for a zone that is
    none, and for a time of day in no zone.
    """
    place = zone(zone_name or "UTC")
    if not isinstance(given, datetime):
        plan = case.planned_at or case.embargo_ends_at
        at = plan.astimezone(place).time().replace(second=0, microsecond=0) if plan else USUAL
        return datetime.combine(given, at, place).astimezone(UTC)
    if given.tzinfo is None and not zone_name:
        raise faults.Refused("a time of day needs its zone: name it with --zone, or write 2026-12-31T14:00+01:00")
    return (given if given.tzinfo else given.replace(tzinfo=place)).astimezone(UTC)
