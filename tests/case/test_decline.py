"""Why we decline: every reason leads through moves that are allowed, says something, and names nobody."""

from pathlib import Path

import pytest

from mailrouter.case import decline
from mailrouter.case.decline import REASONS
from mailrouter.faults import Illegal, Refused
from mailrouter.mail import texts

# what DOMAIN.md, process 2, names
WANTED = {
    "low-score", "no-evidence", "only-cve", "only-publication", "already-coordinated", "vendor-not-contacted",
    "vendor-cooperating", "live-website", "spam", "limited-resources", "already-fixed", "duplicate",
    "not-a-vulnerability",
}  # fmt: skip
ENDS = {"no-evidence": "INVALID", "not-a-vulnerability": "INVALID", "spam": "CLOSED"}  # all others: DEFERRED


def test_there_is_a_reason_for_everything_the_domain_names():
    assert REASONS.keys() == WANTED


@pytest.mark.parametrize("name", REASONS)
def test_each_leads_where_it_should(name):
    end = ENDS.get(name, "DEFERRED")
    passed = {"INVALID": ["INVALID"], "CLOSED": ["INVALID", "CLOSED"], "DEFERRED": ["VALID", "DEFERRED"]}[end]
    assert decline.declined("RECEIVED", name) == passed
    with pytest.raises(Illegal, match="is no move from START"):
        decline.declined("START", name)


@pytest.mark.parametrize("name", REASONS)
def test_what_is_valid_already_can_only_be_deferred(name):
    if name in ENDS:
        with pytest.raises(Illegal, match=r"^'invalidate' is no move from VALID;"):
            decline.declined("VALID", name)
    else:
        assert decline.declined("VALID", name) == ["DEFERRED"]


@pytest.mark.parametrize("rm", ["INVALID", "DEFERRED", "ACCEPTED", "CLOSED"])
@pytest.mark.parametrize("name", sorted(set(REASONS) - {"spam"}))
def test_what_is_decided_is_not_declined_by_these_moves(rm, name):
    if (rm, REASONS[name].moves[0]) == ("INVALID", "validate"):
        assert decline.declined(rm, name) == ["VALID", "DEFERRED"]  # another reason, after all
        return
    with pytest.raises(Illegal, match=f"is no move from {rm};"):
        decline.declined(rm, name)


@pytest.mark.parametrize(
    ("rm", "passed"),
    [
        ("START", ["RECEIVED", "VALID", "ACCEPTED"]),
        ("RECEIVED", ["VALID", "ACCEPTED"]),
        ("VALID", ["ACCEPTED"]),
        ("INVALID", ["VALID", "ACCEPTED"]),
        ("DEFERRED", ["ACCEPTED"]),
    ],
)
def test_accepting_also_after_a_decline(rm, passed):
    assert decline.accepted(rm) == passed


@pytest.mark.parametrize("rm", ["ACCEPTED", "CLOSED"])
def test_no_other_state_is_accepted(rm):
    with pytest.raises(Illegal, match=f"^'accept' is no move from {rm};"):
        decline.accepted(rm)


@pytest.mark.parametrize("name", sorted(WANTED - {"spam"}))
def test_each_says_why_and_what_is_left(name):
    reason = REASONS[name]
    assert reason.because.endswith(".")
    assert 1 <= len(reason.can) <= decline.MOST_WAYS == 3
    for sentence in (reason.because, *reason.can):
        assert sentence.isascii()
        assert texts.one_line(sentence) == sentence  # nothing of it is cut
        assert "VU#" not in sentence


def test_spam_gets_no_letter():
    assert (REASONS["spam"].because, REASONS["spam"].can) == ("", ())


def test_the_seeds_ways_are_told():
    """seeds 000: ask the vendor, publish without a full proof of concept, CVE IDs from MITRE."""
    assert decline.ASK_VENDOR in REASONS["low-score"].can
    assert "no full proof of concept" in decline.PUBLISH
    assert "cveform.mitre.org" in decline.CVE
    assert REASONS["only-cve"].can == (decline.CVE,)


def test_another_name_is_refused_with_those_there_are():
    with pytest.raises(Refused, match="no reason is named 'boring'; there are low-score, "):
        decline.named("boring")


def test_the_handbook_lists_them():
    text = (Path(__file__).parents[2] / "docs" / "handbook.md").read_text("utf-8")
    for name, reason in REASONS.items():
        assert f"| `{name}` | {reason.means} | {ENDS.get(name, 'DEFERRED')} |" in text
