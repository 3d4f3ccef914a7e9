"""Which case does a mail name? Hints out of the mail, in their order of precedence; then a choice among what was found.

Precedence (DOMAIN.md): an address of ours that proves what it is for > a Message-ID we sent > VU# in the protected
subject > VU# in the outer subject. Whatever conflicts, is unknown or only looks like a number goes to a person, with
what was found and a suggestion. An address that proves nothing is no hint at all. A report that has led to a case
routes as that case's VU# does; one that has not waits in triage, and so does what is about it.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field, replace

from mailrouter.case import vuid
from mailrouter.case.events import Routed
from mailrouter.case.model import Place, Report
from mailrouter.mail.ownaddress import Claim, Reply

MOST_REFERENCES = 100
NUMBER_ONLY = "START"  # of a report's `rm`: the number of a mail that nobody calls a report


@dataclass(frozen=True, slots=True)
class Hints:
    """What a mail says about where it belongs."""

    references: tuple[str, ...]  # Message-IDs it answers, nearest first
    protected: tuple[int, ...]  # VU numbers in the subject inside
    outer: tuple[int, ...]  # VU numbers in the subject outside
    reports: tuple[str, ...]  # VRF#
    maybe: tuple[int, ...]  # numbers somebody may have meant
    claims: tuple[Claim, ...] = ()  # addresses of ours it was sent to that say what it is about, unproved
    sender: str = ""  # the address in From

    @property
    def numbers(self) -> tuple[int, ...]:
        """Every VU number named, best hint first."""
        return tuple(dict.fromkeys(self.protected + self.outer))


def hints(
    subject: str, protected_subject: str | None, in_reply_to: tuple[str, ...], references: tuple[str, ...],
    claims: tuple[Claim, ...] = (), sender: str = "",
) -> Hints:  # fmt: skip
    """The hints in one mail; `protected_subject` is the one inside an encrypted or signed part."""
    inner = protected_subject or ""
    answered = dict.fromkeys((*in_reply_to, *reversed(references[-MOST_REFERENCES:])))
    return Hints(
        tuple(answered),
        _numbers(inner),
        _numbers(subject),
        vuid.find_vrf(inner) or vuid.find_vrf(subject),
        tuple(v.number for v in vuid.hints_only(inner or subject)),
        claims,
        sender,
    )


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(dict.fromkeys(v.number for v in vuid.find(text)))


@dataclass(frozen=True, slots=True)
class Found:
    """What of the hints exists here."""

    cases: Mapping[int, int]  # VU number -> case id
    answered: Mapping[str, int]  # Message-ID of a letter of ours -> case id
    proved: Mapping[Claim, int] = field(default_factory=dict)  # address of ours that holds its proof -> case id
    reports: Mapping[str, Report] = field(default_factory=dict)  # VRF# -> report, or the number of a mail that is none
    written: Mapping[str, Report] = field(default_factory=dict)  # Message-ID of a letter of ours about it -> report
    told: Mapping[tuple[str, str], Report] = field(default_factory=dict)  # (that of a reporter's mail, From) -> report


def choose(named: Hints, found: Found) -> Routed:
    """The one case all hints agree on, or a queue and the reason."""
    addressed = list(dict.fromkeys(found.proved[c] for c in named.claims if c in found.proved))
    answered = list(dict.fromkeys(found.answered[m] for m in named.references if m in found.answered))
    by_number = [found.cases[n] for n in named.numbers if n in found.cases]
    unknown = [n for n in named.numbers if n not in found.cases]
    about = reports(named, found)
    reported = [report.case_id for report in about if report.case_id is not None]
    cases = list(dict.fromkeys(addressed + answered + by_number + reported))
    claimed = named.numbers[0] if named.numbers else None
    numbers = {case_id: vu for vu, case_id in found.cases.items()}  # the last one is its own, see lookup.py
    suggested = numbers.get(cases[0]) if cases else None
    if unknown:
        return _review(f"names {_list(unknown)}, which is no case here", claimed, suggested)
    if doubt := _doubt(named, found, about, cases):
        return _review(doubt, claimed, suggested)
    if len(cases) > 1:
        return _review(_conflict(named, addressed, answered), claimed, suggested)
    if cases:
        return Routed(case_id=cases[0], claimed_vu=claimed, suggested_vu=suggested)
    waiting = next((report for report in about if report.rm != NUMBER_ONLY), None)
    if waiting is not None:
        return Routed(place=Place.TRIAGE, why=f"about {waiting.vrf}", report=waiting)
    if about:
        return replace(_review(f"goes on from a mail that is no report: {about[0].vrf}", None, None), report=about[0])
    return _no_number(named, found)


def reports(named: Hints, found: Found) -> list[Report]:
    """What it is about: by number, by a letter of ours it answers, by its sender's own mail that it goes on from."""
    by_number = [found.reports[vrf] for vrf in named.reports if vrf in found.reports]
    by_letter = [found.written[one] for one in named.references if one in found.written]
    by_mail = [found.told[one, named.sender] for one in named.references if (one, named.sender) in found.told]
    return list({report.id: report for report in by_number + by_letter + by_mail}.values())


def _doubt(named: Hints, found: Found, about: list[Report], cases: list[int]) -> str:
    """Why what it says of reports leads nowhere; '' when it does. Beside a case's hint, a number that is nobody's here
    may be another coordinator's, and one that is no report's is that of any mail we acknowledged: no reason to doubt.
    """
    unknown = [vrf for vrf in named.reports if vrf not in found.reports]
    if unknown and not cases:
        return f"names {', '.join(unknown[:5])}, which is no report here"
    waiting = [report.vrf for report in about if report.case_id is None and report.rm != NUMBER_ONLY]
    if len(waiting) > 1:
        return f"is about several reports: {', '.join(waiting[:5])}"
    return f"is about {waiting[0]}, which has no case, and about a case" if waiting and cases else ""


def _no_number(named: Hints, found: Found) -> Routed:
    if named.maybe:
        suggested = next((n for n in named.maybe if n in found.cases), None)
        return _review("seems to name a VU#, but not in its form", named.maybe[0], suggested)
    return Routed(place=Place.TRIAGE, why="no VU# in the subject")


def _conflict(named: Hints, addressed: list[int], answered: list[int]) -> str:
    if len(named.numbers) > 1:
        return f"names several cases: {_list(list(named.numbers))}"
    if len(addressed) > 1:
        return "is addressed to several cases"
    if len(answered) > 1:
        return "answers letters about several cases"
    if not answered and not addressed:
        return "is about a report of one case and about another"
    if addressed:
        return f"is addressed to one case and {'answers a letter about' if answered else 'names'} another"
    return "answers a letter about one case and names another"


def _review(why: str, claimed: int | None, suggested: int | None) -> Routed:
    return Routed(place=Place.REVIEW, why=why, claimed_vu=claimed, suggested_vu=suggested)


def _list(numbers: list[int]) -> str:
    return ", ".join(f"VU#{n}" for n in numbers[:5])


def wanted_numbers(all_hints: Set[Hints] | list[Hints]) -> set[int]:
    """Every number worth looking up for a batch of mails."""
    addressed = {claim.vu for h in all_hints for claim in h.claims if isinstance(claim, Reply)}
    return addressed | {n for h in all_hints for n in (*h.numbers, *h.maybe)}
