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
