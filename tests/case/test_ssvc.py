"""Coordinator Triage, all 192 rows, written down from DOMAIN.md's rules and not from the code; and what may be open."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.case import ssvc
from mailrouter.case.ssvc import Answers, Decision
from mailrouter.faults import Refused

# public, supplier contacted, credible, suppliers, engagement; then D, T or C for each utility (laborious, efficient,
# super-effective) with minimal and with significant safety impact
ROWS = """
yes no  no  one      active       DD DD DD
yes no  no  one      unresponsive DD DD DD
yes no  no  multiple active       DD DD DC
yes no  no  multiple unresponsive DD DD DC
yes no  yes one      active       DD DD DD
yes no  yes one      unresponsive DD DD DD
yes no  yes multiple active       DD DD DC
yes no  yes multiple unresponsive DD DD DC
yes yes no  one      active       DD DD DD
yes yes no  one      unresponsive DD DD DD
yes yes no  multiple active       DD DD DC
yes yes no  multiple unresponsive DD DD DC
yes yes yes one      active       DD DD DD
yes yes yes one      unresponsive DD DD DD
yes yes yes multiple active       DD DD DC
yes yes yes multiple unresponsive DD DD DC
no  no  no  one      active       DD DD DD
no  no  no  one      unresponsive DD DD DD
no  no  no  multiple active       DD DD DC
no  no  no  multiple unresponsive DD DD DC
no  no  yes one      active       DD DD DD
no  no  yes one      unresponsive DD DD DD
no  no  yes multiple active       DD DD DC
no  no  yes multiple unresponsive DD DD DC
no  yes no  one      active       DD DT DT
no  yes no  one      unresponsive DD DT DT
no  yes no  multiple active       DT DT TC
no  yes no  multiple unresponsive DT DT TC
no  yes yes one      active       DD DT DT
no  yes yes one      unresponsive TC CC CC
no  yes yes multiple active       DT DT CC
no  yes yes multiple unresponsive CC CC CC
"""
WORDS = {"D": Decision.DECLINE, "T": Decision.TRACK, "C": Decision.COORDINATE}


def expected() -> dict[Answers, Decision]:
    """All rows, one by one."""
    found = {}
    for line in ROWS.split("\n")[1:-1]:
        *first, laborious, efficient, super_effective = line.split()
        cells = zip(("laborious", "efficient", "super-effective"), (laborious, efficient, super_effective), strict=True)
        for utility, pair in cells:
            for safety, letter in zip(("minimal", "significant"), pair, strict=True):
                found[Answers(*first, utility, safety)] = WORDS[letter]
    return found


TABLE = expected()


def test_there_are_192_rows_and_each_is_there():
    assert len(TABLE) == 192
    assert set(ssvc.every()) == TABLE.keys()
    assert len(list(ssvc.every())) == 192


@pytest.mark.parametrize(("answers", "decision"), TABLE.items(), ids=lambda one: "")
def test_every_row(answers: Answers, decision: Decision):
    found = ssvc.recommend(answers)
    assert found.decision is decision
    assert found.reasons
    assert found.rule in (1, 2, 3, 4)


@pytest.mark.parametrize(
    ("answers", "decision", "rule", "reasons"),
    [
        (("yes", "no", "no", "multiple", "active", "super-effective", "significant"), "Coordinate", 1,
         (ssvc.MULTIPLE, ssvc.SUPER_EFFECTIVE, ssvc.SIGNIFICANT)),
        (("yes", "no", "yes", "one", "active", "efficient", "minimal"), "Decline", 2,
         ("it is public already", "the supplier was not contacted yet")),
        (("no", "no", "yes", "one", "active", "efficient", "minimal"), "Decline", 2,
         ("the supplier was not contacted yet",)),
        (("no", "yes", "yes", "one", "unresponsive", "laborious", "minimal"), "Track", 3,
         (ssvc.CREDIBLE, ssvc.ONE, ssvc.UNRESPONSIVE, ssvc.LABORIOUS, ssvc.MINIMAL)),
        (("no", "yes", "yes", "multiple", "active", "super-effective", "minimal"), "Coordinate", 3,
         (ssvc.CREDIBLE, ssvc.MULTIPLE, ssvc.ACTIVE, ssvc.SUPER_EFFECTIVE)),
        (("no", "yes", "no", "multiple", "active", "laborious", "minimal"), "Decline", 4,
         (ssvc.NOT_CREDIBLE, ssvc.MULTIPLE, ssvc.LABORIOUS, ssvc.MINIMAL)),
    ],
)  # fmt: skip
def test_the_reasons_are_the_answers_that_decided(answers, decision, rule, reasons):
    assert ssvc.recommend(Answers(*answers)) == ssvc.Recommendation(Decision(decision), rule, reasons)


known = st.fixed_dictionaries({}, optional={q: st.sampled_from(a) for q, a in ssvc.QUESTIONS.items()})


@given(known)
def test_open_questions_leave_what_any_answer_could_bring(given_):
    rows = [TABLE[a] for a in TABLE if all(getattr(a, q) == answer for q, answer in given_.items())]
    assert ssvc.possible(given_) == [d for d in Decision if d in rows]
    assert set(ssvc.missing(given_)) == ssvc.QUESTIONS.keys() - given_.keys()


def test_one_answer_may_be_enough():
    known = {"public": "yes", "suppliers": "one"}
    assert ssvc.possible(known) == [Decision.DECLINE]
    assert ssvc.possible({}) == list(Decision)


@pytest.mark.parametrize(
    ("given_", "said"),
    [
        ({"public": "maybe"}, "public is answered by yes or no, not by 'maybe'"),
        ({"utility": "high"}, "utility is answered by laborious or efficient or super-effective, not by 'high'"),
        ({"weather": "fine"}, "no such question: weather; there are public, "),
    ],
)
def test_another_answer_is_refused_by_name(given_, said):
    with pytest.raises(Refused) as refused:
        ssvc.checked(given_)
    assert str(refused.value).startswith(said)


def test_answers_come_in_the_order_of_the_questions():
    given_ = dict(reversed([(q, a[0]) for q, a in ssvc.QUESTIONS.items()]))
    assert list(ssvc.checked(given_)) == list(ssvc.QUESTIONS)


def test_more_speaking_for_it_never_lowers_a_decision_that_rests_on_it():
    """Safety at stake, or a better exploit, never makes us do less."""
    order = list(Decision)
    for one, other in itertools.product(TABLE, TABLE):
        same = (one.public, one.supplier_contacted, one.credible, one.suppliers, one.engagement)
        if same != (other.public, other.supplier_contacted, other.credible, other.suppliers, other.engagement):
            continue
        utility = ssvc.QUESTIONS["utility"].index
        if utility(one.utility) <= utility(other.utility) and one.safety <= other.safety:
            assert order.index(TABLE[one]) <= order.index(TABLE[other])
