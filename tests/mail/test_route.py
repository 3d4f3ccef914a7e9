"""Which case a mail names: precedence, agreement, conflict, and what is only a guess."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.case.events import Routed
from mailrouter.case.model import Place, Report
from mailrouter.mail import route
from mailrouter.mail.ownaddress import Bounce, Claim, Reply
from mailrouter.mail.route import Found, Hints

A, B = 111111, 222222  # two cases' numbers, with ids 1 and 2
TO_A, BOUNCE_A, TO_B, FORGED = Reply(A, "a" * 16), Bounce(7, "a" * 16), Reply(B, "b" * 16), Reply(B, "f" * 16)
OPEN, TWIN, TAKEN, GIVEN = (f"VRF#26-03-{letters}" for letters in ("CCCCC", "DDDDD", "FFFFF", "GGGGG"))
JO = "jo@finder.example"


def report(number: int, vrf: str, rm: str, case_id: int | None = None) -> Report:
    return Report(
        number, vrf, rm, "mail", "", JO, 1, case_id, "", "", "", False, False, None, "", None, "", None,
        datetime(2026, 3, 2, tzinfo=UTC), None, "", "", "", None,
    )  # fmt: skip


REPORTS = {
    OPEN: report(1, OPEN, "RECEIVED"), TWIN: report(2, TWIN, "INVALID"), TAKEN: report(3, TAKEN, "ACCEPTED", 1),
    GIVEN: report(4, GIVEN, "START"),
}  # fmt: skip
FOUND = Found(
    {A: 1, B: 2}, {"a@us": 1, "a2@us": 1, "b@us": 2}, {TO_A: 1, BOUNCE_A: 1, TO_B: 2}, REPORTS,
    {"open@us": REPORTS[OPEN], "twin@us": REPORTS[TWIN], "given@us": REPORTS[GIVEN]},
    {("first@them", JO): REPORTS[OPEN]},
)  # fmt: skip


def routed(
    subject: str = "", protected: str | None = None, answers: tuple[str, ...] = (), references: tuple[str, ...] = (),
    to: tuple[Claim, ...] = (), sender: str = "",
) -> Routed:  # fmt: skip
    return route.choose(route.hints(subject, protected, answers, references, to, sender), FOUND)


# ---- to a case ------------------------------------------------------------------------------------------------------


@pytest.mark.row("S20")
@pytest.mark.parametrize(
    ("hint", "case", "claimed"),
    [
        ({"subject": f"Re: VU#{A}"}, 1, A),
        ({"subject": f"[VU#{A}.3] x"}, 1, A),
        ({"subject": f"VU#{A} and again VU#{A}.2"}, 1, A),
        ({"subject": "...", "protected": f"VU#{A}"}, 1, A),
        ({"subject": f"VU#{A}", "protected": f"VU#{A}"}, 1, A),
        ({"subject": "no number", "answers": ("a@us",)}, 1, None),
        ({"subject": "no number", "references": ("x@them", "a@us", "y@them")}, 1, None),
        ({"subject": "no number", "answers": ("a@us",), "references": ("a2@us",)}, 1, None),
        ({"subject": f"VU#{A}", "answers": ("a@us",)}, 1, A),
        ({"subject": f"VU#{A}", "answers": ("x@them",)}, 1, A),
        ({"subject": f"VU-{A}", "answers": ("a@us",)}, 1, None),  # another hint agrees
        ({"subject": f"VU#{A} VRF#26-03-BCDFG"}, 1, A),
        ({"subject": "no number", "to": (TO_A,)}, 1, None),
        ({"subject": "no number", "to": (BOUNCE_A,)}, 1, None),
        ({"subject": f"VU#{A}", "to": (TO_A,), "answers": ("a@us",)}, 1, A),
        ({"subject": f"VU#{A}", "to": (FORGED,)}, 1, A),  # what proves nothing is no hint
        ({"subject": f"VU-{B}", "to": (TO_A,)}, 1, None),  # a guess against a proof
        ({"subject": "VRF#26-03-BCDFG", "to": (TO_A,)}, 1, None),
        ({"subject": f"VU#{A} {GIVEN}"}, 1, A),
        ({"subject": TAKEN}, 1, None),
        ({"subject": f"VU#{A} {TAKEN}"}, 1, A),
        ({"subject": TAKEN, "to": (TO_A,)}, 1, None),
    ],
)
def test_hints_that_agree_lead_to_the_case(hint: dict[str, object], case: int, claimed: int | None) -> None:
    got = routed(**hint)  # type: ignore[arg-type]
    assert (got.case_id, got.claimed_vu, got.suggested_vu) == (case, claimed, A)


# ---- to a report ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "hint",
    [
        {"subject": f"Re: [{OPEN}]"},
        {"subject": OPEN.lower().replace("#", " # ")},
        {"subject": "...", "protected": OPEN},
        {"answers": ("open@us",)},
        {"references": ("x@them", "open@us", "y@them")},
        {"answers": ("first@them",), "sender": JO},
        {"subject": f"{OPEN} {GIVEN}"},
        {"subject": OPEN, "answers": ("open@us", "first@them"), "sender": JO},
    ],
)
def test_hints_that_agree_lead_to_the_report(hint: dict[str, object]) -> None:
    got = routed(**hint)  # type: ignore[arg-type]
    assert (got.case_id, got.place, got.report, got.why) == (None, Place.TRIAGE, REPORTS[OPEN], f"about {OPEN}")


@pytest.mark.parametrize("sender", ["", "eve@evil.example"])
def test_only_who_wrote_it_goes_on_from_a_mail_of_the_reporters(sender: str) -> None:
    assert routed("", answers=("first@them",), sender=sender) == Routed(place=Place.TRIAGE, why="no VU# in the subject")


# ---- to a person ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hint", "why", "claimed", "suggested"),
    [
        ({"subject": f"VU#{A} VU#{B}"}, f"names several cases: VU#{A}, VU#{B}", A, A),
        ({"subject": f"VU#{B}", "protected": f"VU#{A}"}, f"names several cases: VU#{A}, VU#{B}", A, A),
        ({"subject": f"VU#{B}", "answers": ("a@us",)}, "answers a letter about one case and names another", B, A),
        ({"answers": ("b@us",), "references": ("a@us",)}, "answers letters about several cases", None, B),
        ({"subject": f"VU#{B}", "to": (TO_A,)}, "is addressed to one case and names another", B, A),
        ({"answers": ("b@us",), "to": (TO_A,)}, "is addressed to one case and answers a letter about another", None, A),
        ({"to": (TO_B, TO_A)}, "is addressed to several cases", None, B),
        ({"subject": "VU#999999", "to": (TO_A,)}, "names VU#999999, which is no case here", 999999, A),
        ({"subject": "VU#999999"}, "names VU#999999, which is no case here", 999999, None),
        ({"subject": f"VU#{A} VU#999999"}, "names VU#999999, which is no case here", A, A),
        ({"subject": "VU#999999", "answers": ("a@us",)}, "names VU#999999, which is no case here", 999999, A),
        ({"subject": "VRF#26-03-BCDFG"}, "names VRF#26-03-BCDFG, which is no report here", None, None),
        ({"subject": "...", "protected": "VRF#26-03-BCDFG"}, "names VRF#26-03-BCDFG, which is no report here", None,
         None),
        ({"subject": f"VRF#26-03-BCDFG {OPEN}"}, "names VRF#26-03-BCDFG, which is no report here", None, None),
        ({"subject": f"{OPEN} {TWIN}"}, f"is about several reports: {OPEN}, {TWIN}", None, None),
        ({"subject": OPEN, "answers": ("twin@us",)}, f"is about several reports: {OPEN}, {TWIN}", None, None),
        ({"subject": f"VU#{A} {OPEN}"}, f"is about {OPEN}, which has no case, and about a case", A, A),
        ({"subject": OPEN, "to": (TO_A,)}, f"is about {OPEN}, which has no case, and about a case", None, A),
        ({"subject": f"VU#{B} {TAKEN}"}, "is about a report of one case and about another", B, B),
        ({"subject": GIVEN}, f"goes on from a mail that is no report: {GIVEN}", None, None),
        ({"answers": ("given@us",)}, f"goes on from a mail that is no report: {GIVEN}", None, None),
        ({"subject": f"VU-{A}"}, "seems to name a VU#, but not in its form", A, A),
        ({"subject": "VU 999999"}, "seems to name a VU#, but not in its form", 999999, None),
        ({"subject": "...", "protected": f"VU-{A}"}, "seems to name a VU#, but not in its form", A, A),
    ],
)  # fmt: skip
def test_what_does_not_agree_goes_to_a_person_with_what_was_found(
    hint: dict[str, object], why: str, claimed: int | None, suggested: int | None
) -> None:
    got = routed(**hint)  # type: ignore[arg-type]
    assert (got.case_id, got.place, got.why) == (None, Place.REVIEW, why)
    assert (got.claimed_vu, got.suggested_vu) == (claimed, suggested)


@pytest.mark.parametrize("subject", ["", "A new flaw", "VU#12", "VU#0123456", "Re: [ACME-4411]"])
def test_an_address_that_proves_nothing_leads_nowhere(subject: str) -> None:
    assert routed(subject, to=(FORGED,)) == routed(subject)


@pytest.mark.parametrize("subject", ["", "A new flaw", "VU#12", "VU#0123456", "Re: [ACME-4411]"])
def test_mail_without_a_number_is_triage(subject: str) -> None:
    assert routed(subject) == Routed(place=Place.TRIAGE, why="no VU# in the subject")


@pytest.mark.row("S19")
def test_answers_to_anybody_elses_mail_lead_nowhere() -> None:
    assert routed("hello", answers=("x@them",), references=("y@them",)).place is Place.TRIAGE


@pytest.mark.row("S19")
def test_only_the_newest_references_are_looked_at() -> None:
    many = tuple(f"{n}@them" for n in range(10_000))
    assert len(route.hints("", None, (), many).references) == route.MOST_REFERENCES
    assert routed("", references=("a@us", *many)).case_id is None
    assert routed("", references=(*many, "a@us")).case_id == 1


def test_the_nearest_reference_comes_first() -> None:
    assert route.hints("", None, ("3",), ("1", "2", "3")).references == ("3", "2", "1")


def test_a_batch_is_looked_up_at_once() -> None:
    hints = [route.hints(f"VU#{A}", None, (), ()), route.hints(f"VU-{B} VU#333333", "VU#444444", (), ())]
    hints.append(route.hints("", None, (), (), (Reply(555555, "a" * 16), Bounce(666666, "a" * 16))))
    assert route.wanted_numbers(hints) == {A, 333333, 444444, 555555}


# ---- whatever is found ----------------------------------------------------------------------------------------------

numbers = st.lists(st.sampled_from([A, B, 999999, 999998]), max_size=3, unique=True).map(tuple)
MESSAGE_IDS = ["a@us", "a2@us", "b@us", "x@them", "open@us", "given@us", "first@them"]
all_hints = st.builds(
    Hints,
    references=st.lists(st.sampled_from(MESSAGE_IDS), max_size=4).map(tuple),
    protected=numbers,
    outer=numbers,
    reports=st.lists(st.sampled_from([*REPORTS, "VRF#26-03-BCDFG"]), max_size=2).map(tuple),
    maybe=numbers,
    claims=st.lists(st.sampled_from([TO_A, BOUNCE_A, TO_B, FORGED]), max_size=3).map(tuple),
    sender=st.sampled_from(["", JO]),
)  # fmt: skip


@given(all_hints)
def test_a_case_is_chosen_only_when_every_number_and_every_answer_means_it(named: Hints) -> None:
    got = route.choose(named, FOUND)
    if got.case_id is not None:
        assert {FOUND.cases.get(n) for n in named.numbers} <= {got.case_id}
        assert {FOUND.answered[m] for m in named.references if m in FOUND.answered} <= {got.case_id}
        assert {FOUND.proved[c] for c in named.claims if c in FOUND.proved} <= {got.case_id}
        assert {REPORTS[v].case_id for v in named.reports if v in REPORTS and v != GIVEN} <= {got.case_id}
    else:
        assert got.why
        assert got.place in (Place.REVIEW, Place.TRIAGE)


@given(all_hints)
def test_the_best_hint_is_the_suggestion(named: Hints) -> None:
    got = route.choose(named, FOUND)
    by_address = next((FOUND.proved[c] for c in named.claims if c in FOUND.proved), None)
    by_answer = next((FOUND.answered[m] for m in named.references if m in FOUND.answered), None)
    best = by_address or by_answer
    if best:
        assert got.suggested_vu == {1: A, 2: B}[best]


@given(all_hints)
def test_a_suggestion_is_a_case_we_have(named: Hints) -> None:
    suggested = route.choose(named, FOUND).suggested_vu
    assert suggested is None or suggested in FOUND.cases


@given(all_hints)
def test_triage_is_for_mail_that_names_nothing(named: Hints) -> None:
    got = route.choose(named, FOUND)
    if got.place is Place.TRIAGE and got.case_id is None and got.report is None:
        assert named.numbers + named.reports + named.maybe == ()
