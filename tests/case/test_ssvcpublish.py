"""SSVC Coordinator Publish: all 27 rows, held against a table of our own."""

from dataclasses import asdict, replace
from datetime import UTC, datetime

import pytest

from mailrouter.case import ssvcpublish
from mailrouter.case.ssvcpublish import Answers, Decision
from mailrouter.faults import Refused
from tests.case.people import CASE, VENDOR

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)

# Coordinator Publish 1.0.0, row by row: supplier involvement, exploitation, public value added, decision
ROWS = """
fix-ready                   none        limited     no
fix-ready                   none        ampliative  no
fix-ready                   none        precedence  yes
fix-ready                   public-poc  limited     no
fix-ready                   public-poc  ampliative  no
fix-ready                   public-poc  precedence  yes
fix-ready                   active      limited     no
fix-ready                   active      ampliative  yes
fix-ready                   active      precedence  yes
cooperative                 none        limited     no
cooperative                 none        ampliative  no
cooperative                 none        precedence  yes
cooperative                 public-poc  limited     no
cooperative                 public-poc  ampliative  no
cooperative                 public-poc  precedence  yes
cooperative                 active      limited     no
cooperative                 active      ampliative  yes
cooperative                 active      precedence  yes
uncooperative-unresponsive  none        limited     no
uncooperative-unresponsive  none        ampliative  no
uncooperative-unresponsive  none        precedence  yes
uncooperative-unresponsive  public-poc  limited     no
uncooperative-unresponsive  public-poc  ampliative  yes
uncooperative-unresponsive  public-poc  precedence  yes
uncooperative-unresponsive  active      limited     yes
uncooperative-unresponsive  active      ampliative  yes
uncooperative-unresponsive  active      precedence  yes
"""
TABLE = {Answers(*row[:3]): row[3] == "yes" for row in map(str.split, ROWS.strip().splitlines())}


@pytest.mark.parametrize("answers", TABLE, ids=lambda one: "-".join(asdict(one).values()))
def test_every_row(answers: Answers) -> None:
    found = ssvcpublish.recommend(answers)
    assert (found.decision is Decision.PUBLISH) is TABLE[answers]
    assert all(found.reasons)


def test_there_are_27_and_no_more() -> None:
    assert len(TABLE) == 27
    assert list(ssvcpublish.every()) == list(TABLE)


def test_what_may_still_come_out() -> None:
    assert ssvcpublish.possible({}) == [Decision.PUBLISH, Decision.DO_NOT_PUBLISH]
    assert ssvcpublish.possible({"value_added": "precedence"}) == [Decision.PUBLISH]
    assert ssvcpublish.possible({"value_added": "limited", "exploitation": "none"}) == [Decision.DO_NOT_PUBLISH]
    with pytest.raises(Refused, match="supplier is answered by fix-ready or cooperative or uncooperative-unresponsive"):
        ssvcpublish.checked({"supplier": "nice"})
    with pytest.raises(Refused, match="weather is answered by nothing; there are supplier, exploitation, value_added"):
        ssvcpublish.checked({"weather": "fine"})


def test_what_the_case_says_already() -> None:
    silent = replace(VENDOR, progress="non-responsive")
    gone = replace(silent, id=2, progress="undeliverable")
    fixed = replace(silent, id=3, progress="answered", fix_ready_at=NOW)
    one = CASE
    for vendors, said in (
        ([silent, gone], "uncooperative-unresponsive"),
        ([silent, fixed], "cooperative"),
        ([fixed], "fix-ready"),
        ([fixed, replace(silent, left_at=NOW)], "fix-ready"),
        ([fixed, replace(silent, progress="suspected")], "fix-ready"),
        ([fixed, replace(silent, roles=("reporter",))], "fix-ready"),
    ):
        assert ssvcpublish.derived(one, vendors)["supplier"] == said
    assert ssvcpublish.derived(one, []) == {"exploitation": "none"}
    assert ssvcpublish.derived(replace(one, exploit_public_at=NOW), [])["exploitation"] == "public-poc"
    both = replace(one, exploit_public_at=NOW, attacks_at=NOW)
    assert ssvcpublish.derived(both, [])["exploitation"] == "active"
