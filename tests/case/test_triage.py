"""A report's place in the queue, and what is recommended."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.case import decline, ssvc, triage
from mailrouter.case.model import Report
from mailrouter.faults import Refused

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
REPORT = Report(
    id=1, vrf="VRF#26-03-BCDFG", rm="RECEIVED", source="mail", title="A flaw", address="r@x.example", message_id=1,
    case_id=None, text="", public="", exploited="", credit=False, share_name=False, sketch=None, cvss="", score=None,
    ssvc="", analyst_id=None, received_at=NOW, decided_at=None, decided_by="", reason="", why="", duplicate_of_id=None,
)  # fmt: skip


def made(**values: object) -> Report:
    return replace(REPORT, **values)


IN_ORDER = [
    made(exploited="yes", public="yes", score=10),
    made(exploited="yes", score=None),
    made(exploited="yes", score=100),
    made(exploited="yes", score=20),
    made(public="yes", score=99),
    made(public="yes", score=5),
    made(score=None),
    made(score=98, received_at=NOW - timedelta(days=1)),
    made(score=98),
    made(score=98, id=2),
    made(exploited="no", public="no", score=40),
    made(score=0, rm="VALID"),
    made(rm="DEFERRED", exploited="yes", public="yes", score=100),
]


def test_exploited_then_public_then_score_then_age():
    for first, second in pairwise(IN_ORDER):
        assert triage.place(first) < triage.place(second), (first, second)


@given(st.permutations(IN_ORDER))
def test_the_order_does_not_depend_on_where_one_begins(some):
    assert sorted(some, key=triage.place) == IN_ORDER


@pytest.mark.parametrize(
    ("score", "threshold", "low"), [(39, 40, True), (40, 40, False), (None, 40, False), (0, 0, False), (0, 1, True)]
)
def test_below_the_threshold(score, threshold, low):
    assert triage.below(made(score=score), threshold) is low


@pytest.mark.parametrize(
    ("public", "contacted", "others", "known"),
    [
        ("", "", "", {}),
        ("no", "yes", "Wibble and Wobble", {"public": "no", "supplier_contacted": "yes", "suppliers": "multiple"}),
        ("yes", "", "None.", {"public": "yes"}),
        ("", "no", " no\n", {"supplier_contacted": "no"}),
        ("", "", "unknown", {}),
    ],
)
def test_what_the_form_answers(public, contacted, others, known):
    assert triage.told(public, contacted, others) == known


def test_answers_are_kept_as_they_are():
    known = {"public": "no", "utility": "efficient"}
    assert triage.answers(made(ssvc=triage.kept(known))) == known
    assert triage.kept(known).isascii()
    assert triage.kept({}) == ""
    assert triage.answers(REPORT) == {}
    with pytest.raises(Refused):
        triage.kept({"public": "perhaps"})


def answered(**answers: str) -> str:
    usual = {"public": "no", "supplier_contacted": "yes", "credible": "yes", "suppliers": "one",
             "engagement": "active", "utility": "laborious", "safety": "minimal"}  # fmt: skip
    return triage.kept(usual | answers)


@pytest.mark.parametrize(
    ("report", "decision", "as_"),
    [
        (made(), "", ""),
        (made(score=39), "Decline", "low-score"),
        (made(score=39, ssvc=answered(engagement="unresponsive", suppliers="multiple")), "Decline", "low-score"),
        (made(score=40, ssvc=answered(engagement="unresponsive", suppliers="multiple")), "Coordinate", ""),
        (made(ssvc=answered()), "Decline", "vendor-cooperating"),
        (made(ssvc=answered(supplier_contacted="no")), "Decline", "vendor-not-contacted"),
        (made(ssvc=answered(credible="no")), "Decline", "no-evidence"),
        (made(ssvc=answered(public="yes", engagement="unresponsive")), "Decline", "limited-resources"),
        (made(ssvc=answered(engagement="unresponsive")), "Track", ""),
        (made(ssvc=triage.kept({"public": "yes", "suppliers": "one"})), "Decline", ""),
        (made(ssvc=triage.kept({"public": "yes"})), "", ""),
    ],
)
def test_what_is_recommended(report, decision, as_):
    found = triage.advice(report, 40)
    assert (found.decision, found.decline_as) == (decision, as_)
    assert bool(found.reasons) == bool(decision)
    assert as_ in {"", *decline.REASONS}


def test_a_score_of_no_account_when_the_threshold_is_off():
    assert triage.advice(made(score=5), 0).decision == ""


def test_the_reasons_are_the_tables():
    found = triage.advice(made(ssvc=answered(engagement="unresponsive")), 40)
    assert found.reasons == (
        "SSVC rule 3", ssvc.CREDIBLE, ssvc.ONE, ssvc.UNRESPONSIVE, ssvc.LABORIOUS, ssvc.MINIMAL,
    )  # fmt: skip
    assert triage.advice(made(score=12), 40).reasons == ("its score, 1.2, is below the threshold, 4.0",)
    assert triage.advice(REPORT, 40).open == tuple(ssvc.QUESTIONS)


@given(st.fixed_dictionaries({}, optional={q: st.sampled_from(a) for q, a in ssvc.QUESTIONS.items()}))
def test_advice_is_never_more_than_the_table_allows(known):
    found = triage.advice(made(ssvc=triage.kept(known)), 40)
    possible = [str(decision) for decision in ssvc.possible(known)]
    assert found.decision in ([*possible] if len(possible) == 1 else [""])
    assert found.decline_as == "" or found.decision == "Decline"
