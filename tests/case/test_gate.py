"""The gate: each condition alone stops a publication, and says what to do."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.case import gate
from mailrouter.case.gate import Facts
from mailrouter.faults import Refused

NOW = datetime(2026, 4, 16, 9, tzinfo=UTC)
DAY = timedelta(days=1)
FINE = Facts(
    vu=123456, draft="revision 1, draft 3", first=True, now=NOW, hidden="", perhaps_hidden="", gone=(),
    withdrawn=(), changed=False, newer="", fits=True, not_published_at=None,
    incomplete=(), public=False, embargo="ACTIVE", embargo_ends_at=NOW, planned_at=NOW, unreached=(), without_cve=(),
    hidden_assigners=(), approvals=1, wanted=1, left_out=(), not_shown=(), comments=(),
)  # fmt: skip
UNMET: list[tuple[str, dict[str, Any], str]] = [
    ("hidden", {"hidden": "the name of Vendor KTRV (the note, line 3)"}, "the name of Vendor KTRV (the note, line 3)"),
    ("gone", {"gone": ("Acme",)}, "Acme left since, or is hidden"),
    ("withdrawn", {"withdrawn": ("Acme",)}, "what it says that Acme stated does not stand approved any more"),
    ("perhaps-hidden", {"perhaps_hidden": "a name of Vendor KTRV (the note)"}, "a name of Vendor KTRV (the note)"),
    ("fresh", {"changed": True}, "what is known changed since revision 1, draft 3: `mailrouter note refresh`"),
    ("approved-revision", {"newer": "revision 1, draft 4"}, "revision 1, draft 4 is newer than revision 1, draft 3"),
    ("approved-revision", {"fits": False}, "is not what its SHA-256 says"),
    ("not-decided", {"not_published_at": NOW}, "it was decided on 2026-04-16 that there is no note"),
    ("valid", {"incomplete": ("overview", "solution")}, "there is no text under overview, solution"),
    ("date", {"planned_at": NOW + DAY}, "its date is 2026-04-17 09:00 UTC"),
    ("date", {"embargo_ends_at": NOW + DAY}, "its date is 2026-04-17 09:00 UTC"),
    ("date", {"embargo_ends_at": None, "planned_at": None}, "no date is planned"),
    ("vendors", {"unreached": ("Acme",)}, "no letter has reached Acme"),
    ("vendors", {"unreached": tuple("ABCDEFG")}, "A, B, C, D, E and 2 more"),
    ("cve", {"without_cve": ("VU#123456.1",)}, "VU#123456.1 has neither"),
    ("cve-assigner", {"hidden_assigners": ("VU#123456.2",)}, "the CVE record of VU#123456.2 is a hidden vendor's"),
    ("approvals", {"approvals": 0}, "0 of 1 other analysts approved revision 1, draft 3"),
    ("statements", {"left_out": ("Acme",)}, "what Acme stated is held"),
    ("draft-shown", {"not_shown": ("Acme", "Bolt")}, "2 were shown no draft (Acme, Bolt)"),
    ("comments", {"comments": ("Acme",)}, "comments of Acme on a draft"),
]
MET: list[dict[str, Any]] = [
    {"embargo": "EXITED", "planned_at": NOW + DAY, "embargo_ends_at": NOW + DAY},
    {"public": True, "planned_at": NOW + DAY},
    {"embargo": "NONE", "embargo_ends_at": None},
    {"embargo": "PROPOSED", "embargo_ends_at": NOW + DAY},
    {"wanted": 0, "approvals": 0},
    {"first": False, "planned_at": None, "embargo_ends_at": None, "unreached": ("A",), "not_shown": ("A",)},
]  # fmt: skip


def unmet(facts: Facts) -> list[str]:
    return [one.name for one in gate.check(facts) if one.unmet]


def test_all_is_well() -> None:
    assert unmet(FINE) == []
    assert [one.name for one in gate.check(FINE)] == list(gate.NAMES)


@pytest.mark.parametrize(("name", "change", "said"), UNMET)
def test_each_alone_stops_it_and_is_named(name: str, change: dict[str, Any], said: str) -> None:
    checks = gate.check(replace(FINE, **change))
    [stop] = gate.stopping(checks, {})
    assert stop.name == name
    assert said in stop.unmet
    if name in gate.OVERRIDABLE:
        assert gate.stopping(checks, gate.overrides({name: "because"})) == []
    else:
        with pytest.raises(Refused, match=f"{name} cannot be overridden by anybody"):
            gate.overrides({name: "because"})


def test_every_condition_is_among_them() -> None:
    assert {name for name, _, _ in UNMET} == set(gate.NAMES)


@pytest.mark.parametrize("change", MET)
def test_what_satisfies_it(change: dict[str, Any]) -> None:
    assert unmet(replace(FINE, **change)) == []


def test_an_override_names_a_condition_and_gives_a_reason() -> None:
    with pytest.raises(Refused, match="no such condition: dates; there are perhaps-hidden, fresh, date, vendors"):
        gate.overrides({"dates": "x"})
    with pytest.raises(Refused, match="say --why date is overridden"):
        gate.overrides({"date": " "})


@given(st.sets(st.sampled_from(range(len(UNMET)))), st.sets(st.sampled_from(gate.OVERRIDABLE)))
def test_any_that_is_left_stops_it(wrong: set[int], overridden: set[str]) -> None:
    changes: dict[str, Any] = {}
    for number in wrong:
        changes |= UNMET[number][1]
    facts = replace(FINE, **changes)
    left = set(unmet(facts)) - overridden
    assert {one.name for one in gate.stopping(gate.check(facts), dict.fromkeys(overridden, "x"))} == left
