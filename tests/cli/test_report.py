"""`mailrouter report`: the form that is given out, and reports that an analyst types in or takes out of a mail."""

from pathlib import Path

from mailrouter.mail import reportform
from tests.cli.console import Console

JO = "jo@finder.example"


def test_the_form_as_it_is_given_to_reporters(console: Console) -> None:
    assert console.out("report", "form") == reportform.template()


def test_a_report_is_typed_in_from_a_file(console: Console, tmp_path: Path) -> None:
    file = tmp_path / "report.txt"
    file.write_text(reportform.template().replace("Product and version:", "Product and version: AX-7"))
    vrf = console.out("report", "add", "--file", str(file), "--from", JO.upper()).strip()
    assert console.world.report().vrf == vrf
    assert (console.world.report().title, console.world.report().address) == ("AX-7", JO)
    assert "cannot be read" in console.refused("report", "add", "--file", str(tmp_path / "none"), status=2)


def test_a_mail_in_review_is_taken_for_one(console: Console) -> None:
    console.world.feed(console.world.mail(JO, "VU#999999"))
    vrf = console.out("report", "take", "1").strip()
    assert [shown.item.why for shown in console.world.queue("triage")] == [f"new report {vrf}"]
    assert vrf in console.refused("report", "take", "1", status=1)
    console.refused("report", "take", "77", status=1)


def test_a_mail_that_names_it_is_added_by_hand(console: Console) -> None:
    world = console.world
    world.feed(world.mail(JO, "Overflow"))
    report = world.report()
    world.feed(world.mail("eve@evil.example", f"[{report.vrf}] me too"), world.mail("ann@other.example", "Overflow"))
    assert report.vrf in console.json("queue", "show", "review")[0]["why"]
    assert console.json("message", "show", "2")["report"] is None
    for message in ("2", "3"):
        assert report.vrf in console.out("message", "route", message, report.vrf.lower())
        assert console.json("message", "show", message)["report"] == report.vrf
        assert f"\nreport      {report.vrf}\n" in console.out("message", "show", message)
    assert world.queue("review") == []
    assert [s.item.why for s in world.queue("triage")] == [f"new report {report.vrf}", *[f"about {report.vrf}"] * 2]
    twin = world.reports()[1]
    assert (twin.rm, twin.duplicate_of_id) == ("CLOSED", report.id)
    for refused in ((report.vrf,), ("VRF#26-03-BCDFG",)):
        console.refused("message", "route", "2", *refused, status=1)
    console.refused("message", "route", "2", report.vrf, "--from", "ACME", status=2)
    assert world.breaks() == []


def test_search_finds_a_number(console: Console) -> None:
    console.world.feed(console.world.mail(JO, "Overflow in the AX-7"))
    report = console.world.report()
    for words in (report.vrf, report.vrf.lower(), "overflow ax-7"):
        found = console.json("search", *words.split())
        assert found["reports"] == [{"vrf": report.vrf, "title": "Overflow in the AX-7", "rm": "RECEIVED"}]
        assert [m["subject"] for m in found["mails"]] == ["Overflow in the AX-7"]
    assert report.vrf in console.out("search", report.vrf)
    assert [row["kind"] for row in console.json("journal", "show", report.vrf)] == ["report.received", "mail.triage"]
    console.refused("journal", "show", "VRF#26-03-BCDFG", status=1)
