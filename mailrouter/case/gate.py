"""The gate before publication: a table of what must hold, each condition with what is unmet and what to do about it.

Hard ones nobody may override. Any other is overridden by its name, by an analyst who says why; that stands in the
journal and with the revision (DOMAIN.md, The note). Some ask only before the first revision: what is public is public.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from mailrouter import faults
from mailrouter.case import lifecycle

MOST_NAMED = 5
REFRESH = "`mailrouter note refresh`"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is looked at, of one draft at one moment. Names are for analysts' eyes, none for a journal."""

    vu: int
    draft: str  # as people call it
    first: bool  # nothing is published of the case yet
    now: datetime
    hidden: str  # whom who is hidden it would name and where, in words; '' nobody
    perhaps_hidden: str  # the same, of names that nothing proves
    gone: tuple[str, ...]  # vendors it shows who left since, are hidden, or only suspected
    withdrawn: tuple[str, ...]  # vendors of whom it shows a statement that does not stand approved any more
    changed: bool  # a draft made now would have other facts
    newer: str  # the draft that was made after it; ''
    fits: bool  # its content has the SHA-256 that is approved
    not_published_at: datetime | None
    incomplete: tuple[str, ...]  # sections without a text
    public: bool  # the vulnerability or an exploit is
    embargo: str
    embargo_ends_at: datetime | None
    planned_at: datetime | None
    unreached: tuple[str, ...]  # vendors to whom no letter has left, and who did not write
    without_cve: tuple[str, ...]  # vulnerabilities without an ID and without a CNA that assigns one
    hidden_assigners: tuple[str, ...]  # those whose CVE record is to be written by a vendor that is hidden
    approvals: int
    wanted: int
    left_out: tuple[str, ...]  # whose statement is held, not approved, or another than the draft shows
    not_shown: tuple[str, ...]  # participants who were shown no draft of this revision
    comments: tuple[str, ...]  # whose comments on a draft wait for us


@dataclass(frozen=True, slots=True)
class Condition:
    """`unmet`: what is missing and what to do, a sentence; '' when it holds."""

    name: str
    hard: bool
    wants: str
    unmet: Callable[[Facts], str]


def _named(names: Sequence[str]) -> str:
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _hidden(facts: Facts) -> str:
    return f"it tells of who is hidden: {facts.hidden}; write it without" if facts.hidden else ""


def _gone(facts: Facts) -> str:
    if not facts.gone:
        return ""
    return f"{_named(facts.gone)} left since, or is hidden or only suspected: {REFRESH} makes a draft without"


def _withdrawn(facts: Facts) -> str:
    if not facts.withdrawn:
        return ""
    return f"what it says that {_named(facts.withdrawn)} stated does not stand approved any more: {REFRESH}"


def _perhaps_hidden(facts: Facts) -> str:
    return f"it may tell of who is hidden: {facts.perhaps_hidden}; read it there" if facts.perhaps_hidden else ""


def _fresh(facts: Facts) -> str:
    return f"what is known changed since {facts.draft}: {REFRESH} says what" if facts.changed else ""


def _approved_revision(facts: Facts) -> str:
    if facts.newer:
        return f"{facts.newer} is newer than {facts.draft}: publish that one"
    return "" if facts.fits else f"the content of {facts.draft} is not what its SHA-256 says: `mailrouter note refresh`"


def _not_decided(facts: Facts) -> str:
    if facts.not_published_at is None:
        return ""
    decided = f"{facts.not_published_at:%Y-%m-%d}"
    return f"it was decided on {decided} that there is no note: `mailrouter note not-publish {facts.vu} --undo`"


def _valid(facts: Facts) -> str:
    return f"there is no text under {_named(facts.incomplete)}: `mailrouter note write`" if facts.incomplete else ""


def _date(facts: Facts) -> str:
    """The embargo's end permits publication; without an agreed date ours does."""
    if not facts.first or facts.public or facts.embargo == "EXITED":
        return ""
    agreed = facts.embargo_ends_at if facts.embargo in lifecycle.EMBARGO["terminate"] else None
    dates = [one for one in (agreed, facts.planned_at) if one is not None]
    if not dates:
        return "no date is planned: no vendor was contacted"
    latest = max(dates)
    return f"its date is {latest:%Y-%m-%d %H:%M} UTC: wait for it, or have it changed" if latest > facts.now else ""


def _vendors(facts: Facts) -> str:
    if not (facts.first and facts.unreached):
        return ""
    return f"no letter has reached {_named(facts.unreached)}: `mailrouter outbox list`, `mailrouter case notify`"


def _cve(facts: Facts) -> str:
    if not facts.without_cve:
        return ""
    return f"{_named(facts.without_cve)} has neither a CVE ID nor a CNA that assigns it: `mailrouter cve`, then refresh"


def _assigner(facts: Facts) -> str:
    if not facts.hidden_assigners:
        return ""
    return (
        f"the CVE record of {_named(facts.hidden_assigners)} is a hidden vendor's, and will name it: ask the vendor, or"
        " reserve another ID (`mailrouter cve`)"
    )


def _approvals(facts: Facts) -> str:
    if facts.approvals >= facts.wanted:
        return ""
    return f"{facts.approvals} of {facts.wanted} other analysts approved {facts.draft}: `mailrouter note approve`"


def _statements(facts: Facts) -> str:
    if not facts.left_out:
        return ""
    whose = _named(facts.left_out)
    return f"what {whose} stated is held, not approved, or not as the draft shows it: `mailrouter statement list`"


def _draft_shown(facts: Facts) -> str:
    if not (facts.first and facts.not_shown):
        return ""
    return f"{len(facts.not_shown)} were shown no draft ({_named(facts.not_shown)}): `mailrouter note share`"


def _comments(facts: Facts) -> str:
    return f"comments of {_named(facts.comments)} on a draft are not dealt with" if facts.comments else ""


HARD, SOFT = True, False
CONDITIONS: tuple[Condition, ...] = (
    Condition("hidden", HARD, "who is hidden is named nowhere", _hidden),
    Condition("gone", HARD, "no vendor is shown who may not be any more", _gone),
    Condition("withdrawn", HARD, "every statement it shows stands approved", _withdrawn),
    Condition("approved-revision", HARD, "it is the newest draft, exactly as it was approved", _approved_revision),
    Condition("not-decided", HARD, "no decision stands that there is no note", _not_decided),
    Condition("valid", HARD, "title, overview, description and solution are written", _valid),
    Condition("perhaps-hidden", SOFT, "nothing in it may be the name of who is hidden", _perhaps_hidden),
    Condition("fresh", SOFT, "its facts are those of now", _fresh),
    Condition("date", SOFT, "the planned date has come, or the embargo is over", _date),
    Condition("vendors", SOFT, "every vendor was reached, and answered or had the time to", _vendors),
    Condition("cve", SOFT, "every vulnerability has a CVE ID, or a CNA that assigns it", _cve),
    Condition("cve-assigner", SOFT, "no CVE record will name who is hidden", _assigner),
    Condition("approvals", SOFT, "so many other analysts approved it as the policy says", _approvals),
    Condition("statements", SOFT, "no vendor's statement is left out", _statements),
    Condition("draft-shown", SOFT, "everybody was shown a draft", _draft_shown),
    Condition("comments", SOFT, "comments on drafts are dealt with", _comments),
)  # fmt: skip
NAMES = tuple(one.name for one in CONDITIONS)
OVERRIDABLE = tuple(one.name for one in CONDITIONS if not one.hard)


@dataclass(frozen=True, slots=True)
class Check:
    """One condition, looked at."""

    condition: Condition
    unmet: str  # '' it holds

    @property
    def name(self) -> str:
        """The condition's."""
        return self.condition.name


def check(facts: Facts) -> list[Check]:
    """Every condition, in the table's order."""
    return [Check(one, one.unmet(facts)) for one in CONDITIONS]


def overrides(given: Mapping[str, str]) -> Mapping[str, str]:
    """Condition -> why. `Refused` for a name that is none, a hard one, and without a reason."""
    for name, why in given.items():
        if name not in NAMES:
            raise faults.Refused(f"no such condition: {name}; there are {', '.join(OVERRIDABLE)}")
        if name not in OVERRIDABLE:
            raise faults.Refused(f"{name} cannot be overridden by anybody")
        if not why.strip():
            raise faults.Refused(f"say --why {name} is overridden")
    return given


def stopping(checks: Sequence[Check], overridden: Mapping[str, str]) -> list[Check]:
    """What is unmet and not overridden: while there is any, nothing is published."""
    return [one for one in checks if one.unmet and one.name not in overridden]
