"""Vectors of every version, held against the scores their specifications print; and what is no vector."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.case import cvss
from mailrouter.faults import Refused

V2, V3, V4 = (
    "AV:N/AC:L/Au:N/C:C/I:C/A:C",
    "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
    "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
)


@pytest.mark.parametrize(
    ("vector", "version", "base", "environmental"),
    [
        # CVSS v2 guide, section 3.3: CVE-2002-0392, CVE-2003-0818, CVE-2003-0062
        ("AV:N/AC:L/Au:N/C:N/I:N/A:C", "2", 78, None),
        ("AV:N/AC:L/Au:N/C:N/I:N/A:C/E:F/RL:OF/RC:C/CDP:H/TD:H/CR:M/IR:M/AR:H", "2", 78, 92),
        ("AV:N/AC:L/Au:N/C:C/I:C/A:C/E:F/RL:OF/RC:C/CDP:H/TD:H/CR:M/IR:M/AR:L", "2", 100, 90),
        ("AV:L/AC:H/Au:N/C:C/I:C/A:C/E:POC/RL:OF/RC:C/CDP:H/TD:H/CR:M/IR:M/AR:M", "2", 62, 75),
        ("AV:N/AC:L/Au:N/C:C/I:C/A:C/CDP:N/TD:N", "2", 100, 0),
        (f"{V2}/CDP:ND/TD:ND", "2", 100, None),
        (f"{V2}/E:F", "2", 100, None),
        # CVSS 3.1 examples: CVE-2014-6271, CVE-2013-1937, CVE-2016-1645
        (V3, "3.1", 98, None),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", "3.1", 61, None),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H", "3.1", 88, None),
        ("CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/MAV:L", "3.0", 98, 84),
        (f"{V3}/E:P", "3.1", 98, None),
        (f"{V3}/MAV:X", "3.1", 98, None),
        # CVSS 4.0 examples: CVE-2022-41741 and the calculator
        ("CVSS:4.0/AV:L/AC:L/AT:P/PR:L/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", "4.0", 73, None),
        (V4, "4.0", 93, None),
        (f"{V4}/S:P/R:U/U:Red", "4.0", 93, None),
        (f"{V4}/E:U", "4.0", 93, None),
        (f"{V4}/MAV:L", "4.0", 93, 86),
    ],
)
def test_scores(vector, version, base, environmental):
    score = cvss.read(f" {vector}\n")
    assert (score.version, score.vector) == (version, vector)
    assert (score.base, score.environmental) == (base, environmental)
    assert score.tenths == (base if environmental is None else environmental)


def test_version_2_wants_the_environment():
    assert cvss.read(V2).lacks == cvss.WANTS_ENVIRONMENT
    assert cvss.read(f"{V2}/CDP:L").lacks == ""
    assert cvss.read(V3).lacks == cvss.read(V4).lacks == ""


@pytest.mark.parametrize(("tenths", "shown"), [(None, ""), (0, "0.0"), (5, "0.5"), (75, "7.5"), (100, "10.0")])
def test_tenths_are_shown_as_scores(tenths, shown):
    assert cvss.shown(tenths) == shown


NO_VECTOR = [
    "", " ", "7.5", "high", "/", V2 + "/", "/" + V2, V2.replace("/", "//"), V2.replace(":", "="), V2 + "\x00",
    "A\x00V:N", "AV:N/" * 13_000, "A" * 65_536, ":" * 65_536, "\u0410V:N/AC:L/Au:N/C:C/I:C/A:C",
    "\uff21\uff36:N", "\ud800",
    "CVSS:3.1/", "CVSS:5.0/AV:N", "CVSS:3.1/" + V3, "CVSS:4.1/AV:N", "cvss:3.1/AV:N",
    f"7.5/{V2}", "\u202eAV:N", f"{V2};rm -rf",
]  # fmt: skip
UNSCORED = [
    "AV:N", "AV:N/AV:N", V2.replace("AV:N", "AV:Z"), V2.replace("Au", "AU"), V3.removesuffix("/A:H"),
    V3.replace("CVSS:3.1", "CVSS:4.0"), V4.replace("CVSS:4.0", "CVSS:3.1"), V4.removesuffix("/SA:N"), V3 + "/C:H",
    V3.removeprefix("CVSS:3.1/"), "CVSS:3.1/" + V2, V2.lower(),
]  # fmt: skip


@pytest.mark.parametrize("vector", NO_VECTOR + UNSCORED)
def test_anything_else_is_refused_with_what_is_allowed(vector):
    with pytest.raises(Refused) as refused:
        cvss.read(vector)
    said = str(refused.value)
    assert cvss.ALLOWED in said
    assert len(said) < 400
    assert said.isprintable()


PIECE = st.sampled_from(["AV", "AC", "Au", "PR", "C", "I", "A", "E", "MAV", "TD", "N", "H", "X", "ND", ":", "/",
                         "CVSS:3.1/", "CVSS:4.0/", "\x00", "é", "", V2, V3, V4])  # fmt: skip


@given(st.lists(PIECE, max_size=60).map("".join) | st.text(max_size=80))
def test_whatever_is_typed_is_scored_or_refused(vector):
    try:
        score = cvss.read(vector)
    except Refused:
        return
    assert 0 <= score.base <= 100
    assert 0 <= score.tenths <= 100


# ---- as JSON ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("vector", "version"),
    [(V2, "2"), (V3, "3.1"), (V3.replace("3.1", "3.0"), "3.0"), (V4, "4.0"), ("", ""), ("nonsense", "")],
)
def test_a_vector_s_version(vector, version):
    assert cvss.version(vector) == version


@pytest.mark.parametrize(
    ("vector", "wanted"),
    [
        (V2, {"version": "2.0", "baseScore": 10.0, "accessVector": "NETWORK"}),
        (f"{V2}/CDP:L/TD:ND", {"collateralDamagePotential": "LOW", "environmentalScore": 10.0}),
        (V3, {"version": "3.1", "baseScore": 9.8, "baseSeverity": "CRITICAL", "scope": "UNCHANGED"}),
        (f"{V3}/MAV:P/MS:X", {"modifiedAttackVector": "PHYSICAL", "environmentalScore": 6.8}),
        (V4, {"version": "4.0", "baseScore": 9.3, "baseSeverity": "CRITICAL"}),
    ],
)
def test_a_document(vector, wanted):
    document = cvss.document(vector)
    assert document | wanted == document
    assert document["vectorString"] == vector
    assert "modifiedScope" not in document


def test_a_document_of_what_is_no_vector():
    with pytest.raises(Refused):
        cvss.document("nonsense")
