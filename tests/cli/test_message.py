"""`mailrouter message`: what is shown, byte for byte where it must be, and what a person may order."""

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from mailrouter.flow.arriving import receive
from mailrouter.pgp import Pgp
from mailrouter.store import queues
from tests.cli.console import Console
from tests.flow.world import PSIRT, VENDOR, VU, World
from tests.pgp import mails as sealed

ATTACHED = (
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nthe secret is 42\r\n"
    b'--b\r\nContent-Type: application/octet-stream; name="poc.bin"\r\nContent-Transfer-Encoding: base64\r\n'
    b"Content-Disposition: attachment; filename=poc.bin\r\n\r\nAAECAwQ=\r\n--b--\r\n"
)
POC = bytes(range(5))


def attached(world: World, *names: str) -> None:
    """One mail of the vendor's with attachments of these names."""
    parts = "".join(
        f'--b\r\nContent-Type: image/png\r\nContent-Disposition: attachment; filename="{name}"\r\n\r\n{n}\r\n'
        for n, name in enumerate(names)
    )
    head = (
        f"From: {PSIRT}\r\nSubject: VU#{VU}\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    )
    world.feed(world.envelope(f"{head}--b\r\n\r\ntext\r\n{parts}--b--\r\n".encode()))


# ---- looking -------------------------------------------------------------------------------------------------------


def test_where_it_lies_and_why_and_what_we_know(console: Console) -> None:
    world = console.world
    world.vendor_case()
    world.feed(world.mail(PSIRT), world.mail("eve@eve.example"))
    filed = console.out("message", "show", "2")
    for part in ("psirt@vendor.example (Vendor)", "filed with VU#123456: answer", "unsigned: not signed",
                 "claimed: a registered address, without proof"):  # fmt: skip
        assert part in filed
    strange = console.out("message", "show", "3")
    assert "review: a stranger names the case" in strange
    assert "could go to  VU#123456: mailrouter message route 3\n" in strange
    shown = console.json("message", "show", "3")
    assert (shown["vu"], shown["suggested_vu"], shown["place"], shown["standing"]) == (
        None, f"VU#{VU}", "review", "stranger",
    )  # fmt: skip


def test_a_signature_in_words(console: Console) -> None:
    world = console.world
    world.vendor_case(key=True)
    world.feed(world.signed(f"VU#{VU} we look into it\n"))
    world.feed(world.signed(f"VU#{VU} we look into it\n", signer=world.keymaker.eve))
    good, foreign = console.out("message", "show", "2"), console.out("message", "show", "3")
    assert "verified: signed by a key pinned to its sender's organisation" in good
    assert " ".join(world.keymaker.vendor.fingerprint[i : i + 4] for i in range(0, 40, 4)) in good
    assert "invalid: " in foreign


@pytest.mark.parametrize(
    "raw",
    [
        b"From: psirt@vendor.example\r\nSubject: VU#123456\r\n\r\nbody \xff\x00\r\n.\r\n",
        b"no header at all",
        b"From: psirt@vendor.example\nSubject: bare LF\n\nbody\n",
        b"Subject: \xff\xfe\r\n\r\n" + bytes(range(256)) * 40,
    ],
)
def test_raw_is_byte_equal(console: Console, raw: bytes) -> None:
    console.world.feed(console.world.envelope(raw))
    assert console.run("message", "show", "1", "--raw").stdout_bytes == raw


def test_a_decrypted_text_is_shown_and_kept_nowhere(console: Console) -> None:
    world = console.world
    world.vendor_case(key=True)
    world.feed(world.encrypted(ATTACHED, f"VU#{VU}", signer=world.keymaker.vendor))
    assert console.out("message", "show", "2", "--text") == "the secret is 42\n"
    shown = console.json("message", "show", "2")
    assert (shown["encrypted"], shown["decrypted"], shown["assurance"]) == (True, True, "verified")
    assert shown["attachments"] == [{"name": "poc.bin", "type": "application/octet-stream", "size": 5}]
    with world.look() as tx:
        dump = "\n".join(str(row) for table in ("messages", "queue_items", "journal")
                         for row in tx.exec_driver_sql(f"SELECT * FROM {table}"))  # fmt: skip
    assert "secret is 42" not in dump


def test_what_cannot_be_decrypted_says_so(console: Console) -> None:
    world = console.world
    world.vendor_case()
    message = world.keymaker.encrypt(b"Content-Type: text/plain\r\n\r\nx\r\n", world.keymaker.eve)
    world.feed(world.envelope(sealed.encrypted(message)))
    done = console.run("message", "show", "2", "--text")
    assert done.stderr.strip() != ""
    assert "yes, " in console.out("message", "show", "2")
    assert console.json("message", "show", "2")["decrypted"] is False


@pytest.mark.row("R18")
def test_without_gpg_it_is_shown_as_it_came(console: Console, tmp_path: Path) -> None:
    world = console.world
    world.vendor_case()
    world.feed(world.encrypted(ATTACHED, f"VU#{VU}"))
    broken = Pgp(tmp_path / "g", tmp_path / "k", program="/bin/false")
    world.tools = replace(world.tools, pgp=broken)
    done = console.run("message", "show", "2", "--text")
    assert "could not be opened just now" in done.stderr
    assert "secret is 42" not in done.stdout
    assert console.json("message", "show", "2")["trouble"] != ""
    broken.close()


@pytest.mark.row("S37")
@pytest.mark.row("C15")
def test_hostile_text_is_shown_and_not_obeyed(console: Console) -> None:
    world = console.world
    world.vendor_case()
    world.feed(world.mail(PSIRT, f"VU#{VU} =?utf-8?q?=1B[2J=C2=9B2J=E2=80=AE?=", "\x1b]0;pwned\x07 \u202eabc\r\n"))
    for more in ((), ("--text",), ("--json",)):
        shown = console.out("message", "show", "2", *more)
        assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(shown)


def test_a_letter_of_ours_shows_its_frozen_text(console: Console) -> None:
    world = console.world
    world.vendor_case()
    text = console.out("message", "show", "1", "--text")
    assert "To the product security team of Vendor:" in text
    raw = console.run("message", "show", "1", "--raw").stdout_bytes
    assert raw.rstrip() == world.sent_to(PSIRT)[0].as_bytes().replace(b"\n", b"\r\n").rstrip()
    console.run("case", "write", str(VU), VENDOR, "--file", "-", given="more\n")
    said = console.refused("message", "show", "2", "--raw", status=1)
    assert said == "message 2 is a letter that is not sealed yet"


def test_one_answer_at_a_time(console: Console) -> None:
    console.world.feed(console.world.mail(PSIRT))
    said = console.refused("message", "show", "1", "--text", "--raw", status=2)
    assert said == "give one of --text, --raw and --json"


# ---- attachments ---------------------------------------------------------------------------------------------------


def test_attachments_are_saved_with_their_bytes(console: Console, tmp_path: Path) -> None:
    world = console.world
    world.vendor_case(key=True)
    world.feed(world.encrypted(ATTACHED, f"VU#{VU}", signer=world.keymaker.vendor))
    folder = tmp_path / "new" / "folder"
    said = console.out("message", "save", "2", str(folder))
    assert said == f"{folder / 'poc.bin'}\n"
    assert (folder / "poc.bin").read_bytes() == POC
    assert (folder / "poc.bin").stat().st_mode & 0o777 == 0o600


def test_nothing_is_overwritten(console: Console, tmp_path: Path) -> None:
    attached(console.world, "a.txt", "a.txt", "a.txt")
    (tmp_path / "a.txt").write_text("mine")
    (tmp_path / "a-2.txt").symlink_to(tmp_path / "victim")
    console.run("message", "save", "1", str(tmp_path))
    assert (tmp_path / "a.txt").read_text() == "mine"
    assert not (tmp_path / "victim").exists()
    assert [(tmp_path / f"a-{n}.txt").read_text() for n in (3, 4, 5)] == ["0", "1", "2"]


@pytest.mark.row("S31")
def test_hostile_names_stay_inside_the_folder(console: Console, tmp_path: Path) -> None:
    names = (
        "../../etc/passwd",
        "/etc/cron.d/x",
        "..",
        ".bashrc",
        "-rf",
        "a\u202egnp.exe",
        "x" * 300 + ".txt",
        "",
        "CON",
    )
    attached(console.world, *names)
    outer = tmp_path / "outer"
    folder = outer / "in"
    console.run("message", "save", "1", str(folder))
    assert list(outer.iterdir()) == [folder]
    saved = sorted(path.name for path in folder.iterdir())
    assert len(saved) == len(names)
    for name in saved:
        assert not name.startswith(("-", "."))
        assert "/" not in name
        assert "\u202e" not in name
        assert len(name.encode()) <= 210


def test_no_attachments_is_an_honest_no(console: Console, tmp_path: Path) -> None:
    console.world.feed(console.world.mail(PSIRT))
    assert console.refused("message", "save", "1", str(tmp_path), status=1) == "message 1 has no attachments"


def test_a_folder_that_cannot_be_written_to(console: Console, tmp_path: Path) -> None:
    attached(console.world, "a.txt")
    (tmp_path / "file").write_text("x")
    said = console.refused("message", "save", "1", str(tmp_path / "file"), status=2)
    assert said == f"{tmp_path / 'file'}: cannot be written to (File exists)"
    assert "cannot be written to" in console.refused("message", "save", "1", "/proc/nowhere", status=2)


# ---- by hand -------------------------------------------------------------------------------------------------------


def test_filed_by_hand(console: Console) -> None:
    world = console.world
    world.vendor_case()
    world.feed(world.mail("new.person@elsewhere.example", f"VU#{VU} from my new address"))
    assert world.turn() == "them"
    said = console.out("message", "route", "2", f"VU#{VU}", "--from", "vendor", "--add-contact")
    assert said == f"message 2 is filed with VU#{VU}\n"
    shown = console.json("message", "show", "2")
    assert (shown["place"], shown["participant"], shown["vouched_by"]) == ("filed", VENDOR, "alice")
    assert world.turn() == "us"
    assert console.json("queue", "show", "review") == []
    contacts = console.json("vendor", "show", VENDOR)["contacts"]
    assert [c["address"] for c in contacts] == [PSIRT, "new.person@elsewhere.example"]
    assert world.books().filed == 1


def test_what_is_suggested_is_taken_without_a_number(console: Console) -> None:
    world = console.world
    world.vendor_case()
    world.feed(world.mail("eve@eve.example"), world.mail("eve@eve.example", "a new flaw"))
    shown = console.out("queue", "show", "review")
    assert shown.endswith(f"\n\nmessage 2 could go to VU#{VU}: mailrouter message route 2\n")
    assert console.json("queue", "show", "review")[0]["suggested_vu"] == f"VU#{VU}"
    assert console.out("message", "route", "2") == f"message 2 is filed with VU#{VU}\n"
    said = console.refused("message", "route", "3", status=1)
    assert said == "nothing is suggested for message 3; say which VU# it belongs to"
    assert console.json("queue", "show", "triage")[0]["suggested_vu"] is None


def test_filed_without_a_word_on_whose_it_is(console: Console) -> None:
    world = console.world
    world.vendor_case()
    world.feed(world.mail("eve@eve.example"))
    console.run("message", "route", "2", str(VU))
    shown = console.json("message", "show", "2")
    assert (shown["place"], shown["participant"], shown["vu"]) == ("filed", None, f"VU#{VU}")
    assert world.turn() == "them"
    said = console.refused("message", "reply", "2", "--file", "-", status=1, given="x\n")
    assert said == "message 2 is not filed with a case and participant; `mailrouter message route` files it"


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("route", "2", "999999"), 1, "no case VU#999999"),
        (("route", "2", str(VU), "--add-contact"), 2, "--add-contact needs --from: whose address is it?"),
        (("route", "2", str(VU), "--from", "Nobody"), 1, "'Nobody' takes no part in VU#123456"),
        (("route", "1", str(VU)), 1, "message 1 is not a mail that came in"),
        (("retry", "1"), 1, "message 1 is not a mail that came in"),
        (("retry", "3"), 1, "message 3 is filed already"),
        (("reply", "2", "--file", "-"), 1, "message 2 is not filed with a case and participant"),
        (("reply", "3"), 2, "there is no terminal to write on"),
        (("reply", "3", "--file", "/nowhere"), 2, "/nowhere: cannot be read"),
    ],
)
def test_refused_and_nothing_half_done(console: Console, arguments: tuple[str, ...], status: int, said: str) -> None:
    world = console.world
    world.vendor_case()
    world.feed(world.mail("eve@eve.example"), world.mail(PSIRT))
    before = world.everything(), world.journal()
    assert said in console.refused("message", *arguments, status=status, given="text\n")
    assert (world.everything(), world.journal()) == before


def test_retried_when_its_case_exists_by_now(console: Console) -> None:
    world = console.world
    world.organisation(VENDOR, PSIRT)
    world.feed(world.mail(PSIRT))
    assert console.json("message", "show", "1")["place"] != "filed"
    world.case(VENDOR)
    assert console.out("message", "retry", "1") == "message 1 is in the inbox again\n"
    world.books()
    while receive.work(world.tools):
        pass
    assert console.json("message", "show", "1")["place"] == "filed"
    world.books()


def test_a_mail_that_is_retried_already_is_not_retried_twice(console: Console) -> None:
    world = console.world
    world.feed(world.mail(PSIRT))
    console.run("message", "retry", "1")
    assert console.refused("message", "retry", "1", status=1) == "message 1 is being processed again already"


def test_answered_in_the_thread(console: Console) -> None:
    world = console.world
    world.vendor_case(key=True)
    world.feed(world.mail(PSIRT, message_id="theirs@vendor.example"))
    said = console.out("message", "reply", "2", "--file", "-", given="Thank you. When?\n")
    assert said == f"VU#{VU}: letter 2 (message 3) to Vendor is queued\n"
    world.deliver()
    mail = next(m for m in world.sent_to(PSIRT) if m["In-Reply-To"] == "<theirs@vendor.example>")
    assert mail.get_content_type() == "multipart/encrypted"
    assert mail["References"].split()[-1] == "<theirs@vendor.example>"
    keymaker = world.keymaker
    raw = mail.get_payload()[1].get_payload(decode=True)  # type: ignore[union-attr,index]
    gpg = ["gpg", "--homedir", str(keymaker.home), "--batch", "--quiet", "--decrypt"]
    read = subprocess.run(gpg, input=raw, capture_output=True, check=True).stdout
    assert b"Thank you. When?" in read
    with world.look() as tx:
        assert queues.sizes(tx) == {}
    assert world.turn() == "them"
