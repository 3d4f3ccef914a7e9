"""`mailrouter case`: from opening to closing, its JSON and what people see."""

import re
from pathlib import Path

import pytest
from sqlalchemy.event import listen, remove

from mailrouter.store import cases
from tests.cli.console import Console
from tests.flow.world import PSIRT, VENDOR, VU

TITLE = "A flaw in everything"


def test_opened_under_a_random_number(console: Console) -> None:
    first, second = console.out("case", "open", TITLE), console.out("case", "open", TITLE)
    assert re.fullmatch(r"VU#[1-9][0-9]{5}\n", first)
    assert first != second
    assert console.json("case", "show", first.strip())["analyst"] == "alice"


def test_opened_as_ordered(console: Console) -> None:
    console.world.analyst("bob")
    assert console.out("case", "open", TITLE, "--vu", "VU#123456", "--analyst", "bob", "--urgent") == "VU#123456\n"
    assert console.json("case", "list") == [
        {
            "vu": "VU#123456", "title": TITLE, "state": "open", "analyst": "bob", "urgent": True,
            "opened_at": "2026-03-02T09:00:00Z", "closed_at": None, "embargo": {"state": "NONE", "ends_at": None},
            "publication": {"planned_at": None}, "waiting_on_us": 0,
        }
    ]  # fmt: skip


def test_nobodys_case_says_so(console: Console) -> None:
    done = console.as_login("root").run("case", "open", TITLE)
    assert done.stdout.startswith("VU#")
    assert "it has no analyst" in done.stderr


def test_opened_from_a_mail_its_sender_is_the_reporter(console: Console) -> None:
    console.world.feed(console.world.mail("Rita <rita@home.example>", "A flaw in libfoo"))
    vu = console.out("case", "open", "A flaw in libfoo", "--from", "1").strip()
    shown = console.json("case", "show", vu)
    assert [(p["name"], p["role"], p["waiting_on"]) for p in shown["participants"]] == [
        ("rita@home.example", "reporter", "nobody")
    ]
    theirs = [(m["id"], m["from"], m["place"]) for m in shown["messages"] if m["direction"] == "in"]
    assert theirs == [(1, "rita@home.example", "filed")]
    console.run("case", "write", vu, "reporter", "--file", "-", given="Thank you.\n")
    assert console.json("case", "show", vu)["participants"][0]["waiting_on"] == "them"


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("--vu", "123456"), 2, "VU#123456 exists already"),
        (("--analyst", "Nobody"), 1, "no analyst is named 'Nobody'"),
        (("--from", "4711"), 1, "no message 4711"),
        (("--from", "2"), 1, "message 2 is not a mail that came in"),
        (("--from", "1"), 1, "the mail's From is malformed"),
        (("--from", "3"), 1, "message 3 is filed with a case already"),
    ],
)
def test_a_case_that_cannot_be_opened_is_not_opened(
    console: Console, arguments: tuple[str, ...], status: int, said: str
) -> None:
    console.world.feed(console.world.mail("a@x.example, b@y.example", "two authors", reverse_path="a@x.example"))
    console.world.vendor_case()
    console.world.feed(console.world.mail(PSIRT))
    before = console.json("case", "list")
    assert said in console.refused("case", "open", TITLE, *arguments, status=status)
    assert console.json("case", "list") == before


# ---- show ------------------------------------------------------------------------------------------------------------

KEYS = {  # CONTRACT.md, Commands
    "case": {"vu", "title", "state", "analyst", "opened_at", "embargo", "participants", "publication", "messages",
             "statements", "deadlines"},
    "participant": {"name", "pseudonym", "role", "roles", "progress", "waiting_on", "statuses", "last_heard_at",
                    "next_follow_up_at", "follow_ups_sent"},
    "message": {"id", "direction", "from", "subject", "received_at", "standing", "automated", "encrypted", "assurance",
                "flags", "signature"},
    "statement": {"vendor", "state", "bound", "received_at", "fingerprint", "sha256", "approved"},
    "deadline": {"kind", "participant", "due_at", "done_at"},
}  # fmt: skip


def test_json_has_the_keys_of_the_contract(console: Console) -> None:
    world = console.world
    world.vendor_case(key=True)
    world.feed(world.mail(PSIRT), world.signed(f"VU#{VU}: we are not affected.\n", f"VU#{VU} statement"))
    shown = console.json("case", "show", f"VU#{VU}")
    assert set(shown) >= KEYS["case"]
    assert shown["vu"] == f"VU#{VU}"
    assert set(shown["embargo"]) == {"state", "ends_at", "zone", "agreed", "stands", "terms"}
    assert set(shown["publication"]) == {"planned_at"}
    for name in ("participant", "message", "statement", "deadline"):
        assert shown[f"{name}s"], name
        for one in shown[f"{name}s"]:
            assert set(one) >= KEYS[name]
    assert all(set(m["signature"]) >= {"verdict", "fingerprint", "covers"} for m in shown["messages"])


def test_json_of_a_statement_that_stands(console: Console) -> None:
    world = console.world
    world.vendor_case(key=True)
    world.feed(world.signed(f"VU#{VU}: we are not affected.\n", f"VU#{VU} statement"))
    shown = console.json("case", "show", str(VU))
    statement = shown["statements"][0]
    assert (statement["vendor"], statement["state"], statement["bound"], statement["approved"]) == (
        VENDOR, "verified", True, False,
    )  # fmt: skip
    assert statement["fingerprint"] == world.keymaker.vendor.fingerprint
    out, came = shown["messages"]
    assert (out["direction"], out["from"], out["to"], out["letter"]["state"]) == (
        "out", "cert@cert.example", PSIRT, "sent",
    )  # fmt: skip
    assert (came["direction"], came["from"], came["standing"], came["assurance"]) == ("in", PSIRT, "signed", "verified")
    proof = came["signature"]
    assert (proof["verdict"], proof["fingerprint"], proof["covers"], proof["signed_at"], len(proof["certificate"])) == (
        "good", world.keymaker.vendor.fingerprint, "all", came["received_at"], 64,
    )  # fmt: skip
    assert proof["gpg"] == world.keymaker.gpg("--version").split()[2].decode()
    assert out["signature"] == {
        "verdict": "none", "fingerprint": "", "covers": "none", "signed_at": None, "certificate": None, "gpg": None,
    }  # fmt: skip


def test_json_before_anything_happened(console: Console) -> None:
    console.world.case()
    shown = console.json("case", "show", str(VU))
    for name in ("participants", "messages", "statements", "deadlines", "remarks", "elsewhere"):
        assert shown[name] == []
    none = {"state": "NONE", "ends_at": None, "zone": "UTC", "agreed": None, "stands": None, "terms": []}
    assert shown["embargo"] == none


def test_people_read_first_whose_turn_it_is_and_the_next_letter(console: Console) -> None:
    console.world.vendor_case()
    lines = console.out("case", "show", str(VU)).splitlines()
    assert lines[0] == f"VU#{VU}  {TITLE}"
    assert lines[3] == "Whose turn"
    called = console.world.participant().pseudonym.split()[1]
    assert lines[6].split() == ["their", "turn", VENDOR, called, "vendor", "contacted", "follow-up", "1", "2026-03-16"]
    assert lines[8] == f"Next: follow-up 1 to {VENDOR}, 2026-03-16 09:00"


def test_people_read_it_on_100_columns_whatever_it_holds(console: Console) -> None:
    world, long_name = console.world, "An organisation with a name that is much too long for any table"
    world.organisation(long_name, PSIRT, domain="vendor.example")
    world.case(long_name)
    hostile = "=?utf-8?q?" + "=1B[2J=E2=80=AE" * 20 + f"?= VU#{VU} " + "long " * 60
    world.feed(world.mail(PSIRT, hostile), world.mail("eve@eve.example", hostile))
    console.run("case", "log", str(VU), long_name, "--by", "phone", "said " * 100)
    console.run("case", "remark", str(VU), "short\nremark")
    shown = console.out("case", "show", str(VU))
    assert [line for line in shown.splitlines() if len(line) > 100] == []
    assert not {"\x1b", "\u202e"} & set(shown)
    for part in ("OUR TURN", "Messages", "Statements", "Deadlines", "Remarks", "Not filed: message"):
        assert part in shown


@pytest.mark.row("S26")
@pytest.mark.row("S27")
def test_a_stranger_who_names_the_case_is_no_part_of_it(console: Console) -> None:
    world = console.world
    world.organisation("Other", "other@other.example")
    world.vendor_case()
    world.feed(world.mail("eve@eve.example"), world.mail("other@other.example"))
    shown = console.json("case", "show", str(VU))
    assert [m["direction"] for m in shown["messages"]] == ["out"]
    assert [(m["from"], m["place"]) for m in shown["elsewhere"]] == [
        ("eve@eve.example", "review"), ("other@other.example", "review"),
    ]  # fmt: skip
    assert shown["participants"][0]["waiting_on"] == "them"


def test_letters_that_wait_for_a_person_are_said(console: Console) -> None:
    world = console.world
    world.vendor_case()
    console.run("case", "write", str(VU), VENDOR, "--file", "-", "--confidential", given="a secret\n")
    world.deliver()
    shown = console.out("case", "show", str(VU))
    assert "Letter 2 (write) to Vendor is held: confidential, and the recipient has no usable key" in shown


# ---- list, timeline --------------------------------------------------------------------------------------------------


def test_list_is_newest_first_without_the_closed_ones(console: Console) -> None:
    world = console.world
    world.analyst("bob")
    console.run("case", "open", "first", "--vu", "100001")
    world.day(1)
    console.run("case", "open", "second", "--vu", "100002", "--analyst", "bob")
    console.run("case", "close", "100001", "--why", "a duplicate")
    assert [c["title"] for c in console.json("case", "list")] == ["second"]
    assert [c["title"] for c in console.json("case", "list", "--all")] == ["second", "first"]
    assert [c["title"] for c in console.json("case", "list", "--all", "--analyst", "alice")] == ["first"]
    assert "VU#100002" in console.out("case", "list")
    assert console.out("case", "list", "--analyst", "Nobody") == "No case.\n"


def test_timeline_tells_what_happened_and_what_is_due(console: Console) -> None:
    world = console.world
    world.vendor_case()
    world.day(1)
    world.feed(world.mail(PSIRT, f"[VU#{VU}] looking into it"))
    told = console.json("case", "timeline", str(VU))
    assert [step["what"] for step in told] == [
        "case opened",
        "Vendor takes part as vendor",
        "embargo NONE → PROPOSED → ACTIVE",
        "letter 1 (notification) to Vendor queued",
        "Vendor: waiting on them",
        "letter 1 (notification) sent",
        "Vendor knows of the report",
        f"mail 2 from Vendor filed: [VU#{VU}] looking into it",
        "Vendor: waiting on us",
        "we owe Vendor an answer",
        "the draft of the note",
        "alert to downstream vendors",
        "reminder to silent vendors",
        "the embargo ends",
        "planned publication",
    ]
    assert [step["kind"] for step in told][-1] == "due"
    assert [step["does"] for step in told if step["coming"]] == [
        "notice to the analyst", "notice to the analyst", "nothing: no downstream vendor below a silent one",
        "nothing: nobody is to be written to", "notice to the analyst", "notice to the analyst",
    ]  # fmt: skip
    assert [step["at"] for step in told] == sorted(step["at"] for step in told)
    assert [step["who"] for step in told][:6] == ["alice"] * 5 + ["mailrouter"]
    assert (told[7]["message"], told[7]["participant"], told[3]["letter"]) == (2, "Vendor", 1)
    shown = console.out("case", "timeline", str(VU))
    assert "to come: we owe Vendor an answer: notice to the analyst" in shown
    later = console.json("case", "timeline", str(VU), "--since", "2026-03-03")
    assert [step["what"] for step in later] == [step["what"] for step in told[7:]]
    assert max(map(len, shown.splitlines())) <= 100


def test_timeline_in_all_its_words(console: Console) -> None:
    world = console.world
    world.analyst("bob")
    world.vendor_case()
    console.run("participant", "set", str(VU), VENDOR, "--their-ref", "V-1")
    console.run("participant", "wait", str(VU), VENDOR, "--until", "2026-04-01")
    console.run("case", "log", str(VU), VENDOR, "--by", "phone", "said")
    console.run("case", "remark", str(VU), "noted")
    console.run("case", "assign", str(VU), "bob")
    console.run("case", "close", str(VU), "--why", "over", "--end-embargo", "--anyway")
    console.run("case", "reopen", str(VU), "--why", "not over")
    told = [step["what"] for step in console.json("case", "timeline", str(VU))]
    for expected in ("Vendor: their_ref recorded", "conversation with Vendor by phone, message 2", "remark",
                     "assigned to bob", "case closed: over", "case reopened: not over"):  # fmt: skip
        assert expected in told


# ---- orders ----------------------------------------------------------------------------------------------------------


def test_notify_says_who_was_written_to_and_that_nobody_receives_it(console: Console) -> None:
    console.world.organisation(VENDOR, PSIRT)
    console.world.organisation("Beta", "b@beta.example")
    console.world.case(VENDOR, "Beta", notify=False)
    said = console.refused("case", "notify", str(VU), status=1)
    assert "has no description yet: `mailrouter case describe 123456 --file FILE`" in said
    done = console.run("case", "notify", f"VU#{VU}", "beta", "--without-details")
    nothing = "without details (no usable key, no consent)"
    assert done.stdout == f"VU#{VU}: letter 1 (message 1) to Beta is queued, {nothing}\n"
    assert "nobody receives this" in done.stderr
    done = console.run("case", "notify", f"VU#{VU}", "--without-details")
    assert done.stdout == f"VU#{VU}: letter 2 (message 2) to Vendor is queued, {nothing}\n"
    said = console.refused("case", "notify", str(VU), status=1)
    assert said == f"every vendor of VU#{VU} was contacted before; add one with `mailrouter case add-vendor`"
    assert "was contacted before" in console.refused("case", "notify", str(VU), "Beta", status=1)


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("add-vendor", "Nobody"), 1, "no organisation is named 'Nobody'"),
        (("add-vendor", VENDOR), 2, "this organisation is a participant of the case already"),
        (("notify", "Nobody"), 1, "'Nobody' takes no part in VU#123456; it has: Vendor"),
        (("assign", "Nobody"), 1, "no analyst is named 'Nobody'"),
        (("close",), 2, "Missing option '--why'"),
        (("close", "--why", "done"), 1, "the embargo of VU#123456 is active; `--end-embargo` ends it with the case"),
        (("reopen", "--why", "done"), 1, "'reopen' is no move from open; from there: publish, close, merge"),
        (("remark", ""), 2, "a text is wanted"),
        (("log", VENDOR, "said"), 2, "Missing option '--by'"),
        (("log", VENDOR, "--by", "pigeon", "said"), 2, "'pigeon' is not one of"),
        (("log", VENDOR, "--by", "phone", "--at", "2026-03-03", "said"), 2, "--at lies in the future"),
        (("log", "Nobody", "--by", "phone", "said"), 1, "'Nobody' takes no part"),
        (("write", VENDOR), 2, "there is no terminal to write on: give the text with --file FILE"),
        (("write", VENDOR, "--file", "/nowhere"), 2, "/nowhere: cannot be read (No such file or directory)"),
        (("write", VENDOR, "--file", "/dev/null"), 2, "/dev/null: there is nothing in it"),
        (("write", VENDOR, "--file", "-", "--attach", "/nowhere"), 2, "/nowhere: cannot be read"),
        (("write", "Nobody", "--file", "-"), 1, "'Nobody' takes no part"),
        (("write", VENDOR, "Nobody", "--file", "-"), 1, "'Nobody' takes no part"),
        (("write", "--file", "-"), 2, "Missing argument 'WHOM...'"),
    ],
)  # fmt: skip
def test_refused_and_nothing_half_done(console: Console, arguments: tuple[str, ...], status: int, said: str) -> None:
    console.world.vendor_case()
    before = console.json("case", "show", str(VU)), console.world.journal()
    verb, *rest = arguments
    assert said in console.refused("case", verb, str(VU), *rest, status=status, given="text\n")
    assert (console.json("case", "show", str(VU)), console.world.journal()) == before


def test_closed_and_opened_again(console: Console) -> None:
    console.world.vendor_case()
    console.run("case", "close", str(VU), "--why", "published", "--end-embargo", "--anyway")
    shown = console.json("case", "show", str(VU))
    assert (shown["state"], shown["embargo"]["state"]) == ("closed", "EXITED")
    assert all(d["done_at"] for d in shown["deadlines"])
    assert "is closed; `mailrouter case reopen" in console.refused("case", "notify", str(VU), status=1)
    console.run("case", "reopen", str(VU), "--why", "a new variant")
    assert console.json("case", "show", str(VU))["state"] == "open"


def test_what_waits_goes_with_the_case(console: Console) -> None:
    world = console.world
    world.analyst("bob")
    world.vendor_case()
    world.feed(world.mail(PSIRT))
    console.run("case", "assign", str(VU), "bob")
    assert console.json("queue", "show", "alice") == []
    assert [i["message"] for i in console.json("queue", "show", "bob")] == [2]


# ---- what people write ------------------------------------------------------------------------------------------


def test_a_letter_from_a_file_goes_out_in_the_thread(console: Console, tmp_path: Path) -> None:
    world = console.world
    world.vendor_case()
    world.feed(world.mail(PSIRT, message_id="theirs@vendor.example"))
    poc = tmp_path / "poc.bin"
    poc.write_bytes(bytes(range(256)))
    text = tmp_path / "text"
    text.write_text("Grüße,\nis there a date?\n")
    said = console.out("case", "write", str(VU), VENDOR, "vendor", "--file", str(text), "--attach", str(poc))
    assert said == f"VU#{VU}: letter 2 (message 3) to Vendor is queued\n"  # named twice, written to once
    world.deliver()
    mail = next(m for m in world.sent_to(PSIRT) if m["In-Reply-To"] == "<theirs@vendor.example>")
    parts = list(mail.walk())
    texts = [p.get_payload(decode=True).decode() for p in parts if p.get_content_type() == "text/plain"]
    assert any("Grüße,\r\nis there a date?" in text or "Grüße,\nis there a date?" in text for text in texts)
    assert [p.get_payload(decode=True) for p in parts if p.get_filename() == "poc.bin"] == [poc.read_bytes()]
    assert console.json("case", "show", str(VU))["participants"][0]["waiting_on"] == "them"


BEFORE = {"draft", "alert", "reminder", "embargo", "publication"}  # clocks of a case whose date is planned


def test_a_letter_without_a_question_waits_for_nothing(console: Console) -> None:
    world = console.world
    world.vendor_case()
    world.feed(world.mail(PSIRT))
    console.run("case", "write", str(VU), VENDOR, "--file", "-", "--no-question", given="Thank you.\n")
    shown = console.json("case", "show", str(VU))
    assert shown["participants"][0]["waiting_on"] == "nobody"
    assert {d["kind"] for d in shown["deadlines"] if not d["done_at"]} == BEFORE


def test_a_conversation_counts_as_an_answer(console: Console) -> None:
    console.world.vendor_case()
    console.world.day(3)
    console.run("case", "log", str(VU), VENDOR, "--by", "phone", "--at", "2026-03-04T10:00Z", "fix in May")
    shown = console.json("case", "show", str(VU))
    assert shown["participants"][0]["waiting_on"] == "us"
    spoken = shown["messages"][-1]
    assert (spoken["kind"], spoken["received_at"], spoken["direction"]) == ("phone", "2026-03-04T10:00:00Z", "in")
    assert (spoken["vouched_by"], spoken["automated"]) == ("alice", False)
    assert console.out("message", "show", str(spoken["id"]), "--text") == "fix in May\n"


def test_a_remark_never_leaves(console: Console) -> None:
    world = console.world
    world.vendor_case()
    console.run("case", "remark", str(VU), "the reporter sounds hurried")
    console.run("case", "write", str(VU), VENDOR, "--file", "-", given="A question.\n")
    world.deliver()
    shown = console.json("case", "show", str(VU))
    assert [(r["by"], r["text"]) for r in shown["remarks"]] == [("alice", "the reporter sounds hurried")]
    assert all(m["direction"] != "remark" for m in shown["messages"])
    assert not any(b"hurried" in m.as_bytes() for m in world.sent())


# ---- its own numbers -------------------------------------------------------------------------------------------------


def test_numbers_of_its_own(console: Console) -> None:
    console.world.vendor_case()
    console.world.day(1)
    done = console.run("case", "policy", str(VU), "embargo_days=90", "follow_up_days=7", "answer_days=")
    assert done.stdout.splitlines() == [
        f"VU#{VU}: changed",
        "publication is planned for 2026-06-01 09:00 UTC, not 2026-04-16 09:00",
        "1 deadlines moved",
    ]
    assert "the letters that have left give the former date; the embargo is what was agreed" in done.stderr
    shown = console.json("case", "policy", str(VU))
    assert shown["follow_up_days"] == {"value": 7, "own": True, "otherwise": 14}
    assert shown["answer_days"] == {"value": 2, "own": False, "otherwise": 2}
    row = next(line for line in console.out("case", "policy", str(VU)).splitlines() if "embargo_days" in line)
    assert " ".join(row.split()) == "embargo_days 90 this case's own 45"
    told = [step["what"] for step in console.json("case", "timeline", str(VU))]
    assert "this case's own numbers: embargo_days 90, follow_up_days 7" in told
    assert "publication planned for 2026-06-01 09:00, not 2026-04-16 09:00" in told
    document = console.json("case", "show", str(VU))
    assert document["publication"] == {"planned_at": "2026-06-01T09:00:00Z"}
    assert document["policy"] == {"embargo_days": 90, "follow_up_days": 7}
    assert "numbers of its own: embargo_days 90, follow_up_days 7" in console.out("case", "show", str(VU))
    console.world.day(20)
    assert "1 of them now" in console.out("case", "policy", str(VU), "follow_up_days=1")


NO_NUMBERS = (
    (("follow_up_days",), "'follow_up_days' is not KEY=VALUE"),
    (("follow_up_days=soon",), "follow_up_days = 'soon' for this case: give a whole number from 1 to 100000"),
    (("follow_up_days=1", "follow_up_days=2"), "each number once"),
    (("approvals=0",), "approvals: no number that one case may have of its own; there are embargo_days"),
)


def test_a_bad_number_is_refused(console: Console) -> None:
    console.world.case()
    for numbers, said in NO_NUMBERS:
        assert said in console.refused("case", "policy", str(VU), *numbers, status=2)


# ---- a crowd ---------------------------------------------------------------------------------------------------------

CROWD = 24


@pytest.fixture
def crowd(console: Console) -> Console:
    """Two dozen vendors: one wrote, one has no contact, one disputes it; the others are silent."""
    world = console.world
    world.organisation("Nobody there")
    for number in range(CROWD):
        world.organisation(f"Vendor {number:02}", f"psirt@vendor{number:02}.example")
    world.case("Nobody there", *(f"Vendor {number:02}" for number in range(CROWD)))
    world.deliver()
    world.day(1)
    world.feed(world.mail("psirt@vendor07.example"))
    with world.writing() as tx:
        cases.change_participant(tx, world.participant("Vendor 03").id, progress="disputed")
    return console


def test_a_crowd_is_counted_and_who_needs_somebody_is_named(crowd: Console) -> None:
    lines = crowd.out("case", "show", str(VU)).splitlines()
    shown = "\n".join(lines)
    assert len(lines) < 90
    assert max(map(len, lines)) <= 100
    table = shown.partition("Whose turn")[2].partition("Who needs somebody")[0]
    assert [" ".join(line.split()) for line in table.splitlines()[3:] if line] == [
        f"their turn contacted {CROWD - 1}", "their turn disputed 1", "OUR TURN answered 1",
    ]  # fmt: skip
    needing = shown.partition("Who needs somebody")[2].partition("Next:")[0]
    assert re.findall(r"Vendor \d\d|Nobody there", needing) == ["Vendor 07", "Nobody there", "Vendor 03"]
    assert f"... and {CROWD - 2} other participants (`--all`)" in needing
    assert shown.count(" -> ") == 19  # of the newest 20 messages, one is a mail
    assert f"... and {CROWD + 2 - 20} older ones (`--all`)" in shown
    assert "Letter 1 (notification) to Nobody there is held" in shown
    everything = crowd.out("case", "show", str(VU), "--all")
    assert "(`--all`)" not in everything
    assert all(f"Vendor {number:02}" in everything for number in range(CROWD))
    document = crowd.json("case", "show", str(VU))
    assert (len(document["participants"]), len(document["messages"])) == (CROWD + 1, CROWD + 2)
    assert len(document["deadlines"]) > 2 * CROWD
    crowd.world.organisation("Alone", "alone@alone.example")
    crowd.world.case("Alone", vu=100001)
    crowd.world.deliver()
    for arguments in (("show",), ("show", "--json"), ("timeline",)):
        assert _queries(crowd, VU, *arguments) <= _queries(crowd, 100001, *arguments) + 2, "no more than for a few"


def _queries(console: Console, vu: int, verb: str, *rest: str) -> int:
    asked: list[str] = []
    note = lambda *event: asked.append(event[2])  # noqa: E731 - SQLAlchemy wants to remove what it was given
    engine = console.world.tools.db.engine
    listen(engine, "before_cursor_execute", note)
    try:
        console.out("case", verb, str(vu), *rest)
    finally:
        remove(engine, "before_cursor_execute", note)
    return len(asked)
