"""`mailrouter report list|show|score|ask|accept|decline`, as an analyst types them."""

import json
from pathlib import Path

import pytest

from mailrouter.case import cvss
from tests.case.test_similar import REPORT
from tests.cli.console import Console
from tests.flow.test_deciding import JO, form
from tests.flow.world import VU, World

HIGH, LOW = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "AV:L/AC:H/Au:M/C:P/I:N/A:N/CDP:L/TD:L"
KEYS = {
    "vrf", "rm", "state", "title", "from", "source", "received_at", "decision_due_at", "answer_due_at", "waiting_on",
    "public", "exploited", "cvss", "score", "below_threshold", "ssvc", "recommendation", "like", "vu", "decided_at",
    "decided_by", "reason",
}  # fmt: skip
MORE = {
    "base_score", "environmental_score", "credit", "share_name", "why", "duplicate_of", "form", "text", "trouble",
    "attachments", "messages", "deadlines", "next",
}  # fmt: skip


def fed(world: World, body: str = "It crashes.\r\n", subject: str = "Overflow in the AX-7", sender: str = JO) -> str:
    """A report by mail; its number."""
    got = world.fed(world.mail(sender, subject, body))
    return next(r.vrf for r in world.reports() if r.id == got.report_id)


@pytest.fixture
def vrf(console: Console) -> str:
    """One report waits."""
    return fed(console.world, form(product="AX-7 2.1", public="no", vendor_contacted="yes", proof="see the file"))


def test_a_report_from_its_arrival_to_its_case(console: Console, vrf: str) -> None:
    [line] = console.json("report", "list")
    assert line.keys() == KEYS
    assert (line["vrf"], line["state"], line["waiting_on"], line["score"], line["ssvc"]["decision"]) == (
        vrf, "waits", "us", None, None,
    )  # fmt: skip
    assert line["ssvc"]["answers"] == {"public": "no", "supplier_contacted": "yes"}
    said = console.out("report", "score", vrf, "--cvss", LOW)
    assert said.splitlines() == [
        f"{vrf}: CVSS 0.4, below the threshold",
        f"{vrf}: Decline (low-score): its score, 0.4, is below the threshold, 4.0",
    ]
    assert " <" in console.out("report", "list")
    assert "CVSS 9.8" in console.out("report", "score", vrf.removeprefix("VRF#"), "--cvss", HIGH)
    answers = ("--credible", "yes", "--suppliers", "one", "--engagement", "unresponsive", "--utility", "efficient")
    assert "Coordinate: SSVC, whatever the open questions" in console.out("report", "score", vrf, *answers)
    [line] = console.json("report", "list")
    assert (line["score"], line["below_threshold"], line["recommendation"]["decision"]) == (9.8, False, "Coordinate")
    assert "Coordinate" in console.out("report", "list")
    vu = console.out("report", "accept", vrf, "--vu", str(VU), "--title", "Overflow in the AX-7 updater").strip()
    assert vu == f"VU#{VU}"
    assert console.json("report", "list") == []
    [line] = console.json("report", "list", "--all")
    assert (line["state"], line["vu"], line["decided_by"]) == ("accepted", vu, "alice")
    assert f"is {vu}" in console.out("report", "list", "--all")
    assert console.json("case", "show", vu)["title"] == "Overflow in the AX-7 updater"
    assert f"was accepted as {vu} by alice" in console.refused("report", "decline", vrf, "--reason", "spam", status=1)
    told = [step["what"] for step in console.json("case", "timeline", vu)]
    history = [f"{vrf} received", f"{vrf} scored: {LOW}", f"{vrf} scored: {HIGH}", f"{vrf} scored", "case opened"]
    assert [what for what in told if what in history] == history
    assert told.count(f"{vrf} accepted") == 1


def test_show_says_what_to_do_next_and_what_was_written(console: Console, vrf: str) -> None:
    shown = console.json("report", "show", vrf)
    assert shown.keys() == KEYS | MORE
    assert shown["form"] == {"product": "AX-7 2.1", "public": "no", "vendor_contacted": "yes", "poc": "see the file"}
    assert [m["from"] for m in shown["messages"]] == [JO]
    assert [d["kind"] for d in shown["deadlines"]] == ["decision", "decision"]
    short = vrf.removeprefix("VRF#")
    assert shown["next"][0].startswith(f"mailrouter report score {short} --cvss")
    assert f"mailrouter report accept {short}" in shown["next"]
    text = console.out("report", "show", vrf)
    for said in ("Overflow in the AX-7", "AX-7 2.1", "see the file", "Recommended", "nothing yet; open: credible", JO):
        assert said in text
    assert all(len(line) <= 110 for line in text.splitlines())
    console.run("report", "score", vrf, "--cvss", "AV:N/AC:L/Au:N/C:C/I:C/A:C")
    assert cvss.WANTS_ENVIRONMENT in console.out("report", "show", vrf)
    assert console.json("report", "show", vrf)["base_score"] == 10.0
    answers = ("--credible", "yes", "--suppliers", "one", "--engagement", "unresponsive", "--utility", "efficient")
    console.run("report", "score", vrf, *answers, "--safety", "minimal", "--cvss", LOW)
    text = console.out("report", "show", vrf)
    assert "  Coordinate by rule 3: the report is credible; one supplier is affected; " in text
    assert "Decline (low-score): its score, 0.4, is below the threshold, 4.0" in text


def test_what_makes_a_report_urgent_is_explained(console: Console) -> None:
    quiet = fed(console.world, "It stops.\r\n", "Quiet")
    assert "exploited" not in console.out("report", "list")
    console.run("report", "score", quiet, "--exploited", "yes")
    said = console.run("report", "list")
    assert " X " in said.stdout
    assert "X: exploited, P: public" in said.stderr


def test_what_looks_alike_is_named_with_a_command(console: Console) -> None:
    first = fed(console.world, REPORT.replace("\n", "\r\n"), "Frobnitz")
    second = fed(console.world, f"Hello,\r\n{REPORT}", "Once more", "sam@other.example")
    assert f"{first.removeprefix('VRF#')} 9" in console.out("report", "list")
    shown = console.json("report", "show", second)
    assert [like["vrf"] for like in shown["like"]] == [first]
    decline = next(one for one in shown["next"] if "duplicate" in one)
    assert decline.endswith(f"--reason duplicate --of {first}")
    assert "Looks like" in console.out("report", "show", second)
    console.run(*decline.split()[1:], "--why", "the same crash", "--yes")
    shown = console.json("report", "show", second)
    assert (shown["state"], shown["duplicate_of"], shown["why"], shown["reason"]) == (
        "declined", first, "the same crash", "duplicate",
    )  # fmt: skip
    assert shown["next"] == [f"mailrouter report accept {second.removeprefix('VRF#')}"]
    text = console.out("report", "show", second)
    assert f"by alice (duplicate of {first})" in text
    assert "the same crash" in text


def test_asking_and_declining_with_words_of_ones_own(console: Console, vrf: str, tmp_path: Path) -> None:
    asked = console.out("report", "ask", vrf, "--file", "-", given="Which version?\n")
    assert asked.strip() == f"{vrf}: letter 1 (message 2) to its reporter is queued"
    [line] = console.json("report", "list")
    assert (line["waiting_on"], line["decision_due_at"]) == ("them", None)
    assert line["answer_due_at"].startswith("2026-03-16")
    assert "asked, 14 d" in console.out("report", "list")
    words = tmp_path / "words.txt"
    words.write_text("The vendor told us that it is fixed in 2.2.\n")
    said = console.out("report", "decline", vrf, "--reason", "already-fixed", "--file", str(words), "--yes")
    assert said.strip() == f"{vrf} is declined (already-fixed); letter 2 (message 3) tells its reporter"
    assert "fixed in 2.2." in console.world.letters("report-declined")[0].body
    assert "DEFERRED" not in console.out("report", "list", "--all")
    assert "declined" in console.out("report", "list", "--all")


def test_hostile_reports_are_shown_and_obeyed_nowhere(console: Console) -> None:
    evil = "\x1b[2J\u202eVU#1\x00 $(reboot)"
    vrf = fed(console.world, f"Description: {evil}\r\n{evil}\r\n" * 50, f"=?utf-8?q?=1B[31m_{'A' * 300}?=")
    for arguments in (("list",), ("show", vrf)):
        text = console.out("report", *arguments)
        assert not any(sign in text for sign in "\x1b\x00\u202e")
    assert json.loads(console.run("report", "show", vrf, "--json").stdout)["title"]
    console.run("report", "accept", vrf, "--vu", str(VU))
    assert "\x1b" not in console.world.letters("report-accepted")[0].body


REFUSED = [
    (("show", "VRF#26-03-BBBBB"), 1, "no report VRF#26-03-BBBBB; `mailrouter report list`"),
    (("show", "12"), 2, "Invalid value for 'VRF': a VRF# is written VRF#26-11-BCDFG or 26-11-BCDFG"),
    (("score", "{vrf}"), 2, "give --cvss VECTOR, or an answer such as --credible yes"),
    (("score", "{vrf}", "--cvss", "7.5"), 2, "this is no CVSS vector; give a CVSS vector of version 2"),
    (("score", "{vrf}", "--cvss", "A" * 65536), 2, "this is no CVSS vector"),
    (("score", "{vrf}", "--credible", "perhaps"), 2, "Invalid value for '--credible'"),
    (("decline", "{vrf}"), 2, "Missing option '--reason'"),
    (("decline", "{vrf}", "--reason", "no-evidence"), 2, "no terminal to ask on: --yes declines it without asking"),
    (("decline", "{vrf}", "--reason", "boring"), 2, "Invalid value for '--reason'"),
    (("decline", "{vrf}", "--reason", "duplicate"), 2, "say of which report or case it is a duplicate"),
    (("decline", "{vrf}", "--reason", "duplicate", "--of", "nothing"), 2, "a VU# is written VU#123456 or 123456"),
    (("accept", "{vrf}", "--analyst", "nobody"), 1, "no analyst"),
    (("accept", "{vrf}", "--vendor"), 2, "the reporter's address is no vendor's"),
    (("ask", "{vrf}"), 2, "there is no terminal to write on"),
    (("ask", "{vrf}", "--file", "/nowhere"), 2, "cannot be read"),
]


def test_what_is_refused_changes_nothing(console: Console, vrf: str) -> None:
    before = console.world.reports()
    for arguments, status, said in REFUSED:
        refused = console.refused("report", *(one.format(vrf=vrf) for one in arguments), status=status)
        assert said in refused
    assert console.world.reports() == before
    assert console.world.letters() == []


def test_a_login_that_is_nobodys_may_decide_and_the_case_waits_in_triage(console: Console, vrf: str) -> None:
    done = console.as_login("eve").run("report", "accept", vrf)
    assert "it has no analyst" in done.stderr
    assert console.world.reports()[0].decided_by == "unix:eve"
