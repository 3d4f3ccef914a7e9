"""`mailrouter statement`: the exact bytes, and proof that plain gpg accepts."""

import hashlib
import subprocess
from pathlib import Path

import pytest

from mailrouter.flow.actor import Actor
from tests.cli.console import Console
from tests.flow.world import PSIRT, VENDOR, VU, World

TEXT = f"VU#{VU}\nACME is not affected. Größe: 3 µm  \n- a dash\n"


@pytest.fixture
def case(console: Console) -> World:
    console.world.vendor_case(key=True)
    return console.world


def verify(world: World, folder: Path, *files: str) -> None:
    """By plain gpg with nothing but the vendor's public key."""
    home = folder / "gnupg"
    home.mkdir(mode=0o700)
    gpg = ["gpg", "--homedir", str(home), "--batch", "--no-autostart"]
    public = world.keymaker.armored(world.keymaker.vendor.fingerprint)
    subprocess.run([*gpg, "--import"], input=public, capture_output=True, check=True)
    done = subprocess.run(
        [*gpg, "--status-fd", "1", "--verify", *(str(folder / f) for f in files)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert f"VALIDSIG {world.keymaker.vendor.fingerprint}" in done.stdout


@pytest.mark.row("P01")
def test_pgp_mime(console: Console, case: World, tmp_path: Path) -> None:
    case.feed(case.signed(TEXT, f"VU#{VU} statement"))
    shown = console.json("statement", "show", str(VU), VENDOR)
    verbatim = console.run("statement", "show", str(VU), VENDOR, "--verbatim").stdout_bytes
    assert verbatim == TEXT.replace("\n", "\r\n").encode()
    assert shown["sha256"] == hashlib.sha256(verbatim).hexdigest()
    assert (shown["state"], shown["bound"], shown["form"]) == ("verified", True, "mime")
    folder = tmp_path / "proof"
    said = console.out("statement", "show", str(VU), VENDOR, "--signed", str(folder))
    assert said == f"{folder / 'statement'}\n{folder / 'statement.asc'}\n"
    verify(case, folder, "statement.asc", "statement")


@pytest.mark.row("P02")
def test_cleartext(console: Console, case: World, tmp_path: Path) -> None:
    case.feed(case.cleartext(TEXT, f"VU#{VU} statement"))
    assert console.json("statement", "list", str(VU))[0]["form"] == "cleartext"
    verbatim = console.run("statement", "show", str(VU), VENDOR, "--verbatim").stdout_bytes
    assert b"- a dash" in verbatim
    assert b"-----BEGIN" not in verbatim
    folder = tmp_path / "proof"
    assert console.out("statement", "show", str(VU), VENDOR, "--signed", str(folder)) == f"{folder / 'statement.asc'}\n"
    verify(case, folder, "statement.asc")


@pytest.mark.row("P03")
@pytest.mark.parametrize("taken", [False, True])
def test_signed_and_encrypted_in_one_step(console: Console, case: World, tmp_path: Path, taken: bool) -> None:
    entity = b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + TEXT.replace("\n", "\r\n").encode()
    subject = f"VU#{VU} our position" if taken else f"VU#{VU} statement"
    case.feed(case.encrypted(entity, subject, signer=case.keymaker.vendor))
    if taken:
        console.run("statement", "take", "2")
    assert console.json("statement", "show", str(VU), VENDOR)["state"] == "verified"
    folder = tmp_path / "proof"
    said = console.out("statement", "show", str(VU), VENDOR, "--signed", str(folder))
    assert said == f"{folder / 'statement.gpg'}\n"
    verify(case, folder, "statement.gpg")


def test_unsigned_is_held_and_has_no_proof(console: Console, case: World, tmp_path: Path) -> None:
    case.feed(case.mail(PSIRT, f"VU#{VU} statement", TEXT))
    shown = console.json("statement", "show", str(VU), VENDOR)
    assert (shown["state"], shown["reason"], shown["approved"]) == ("held", "it is not signed", False)
    said = console.refused("statement", "show", str(VU), VENDOR, "--signed", str(tmp_path / "proof"), status=1)
    assert said == "there is nothing to verify apart from the mail: it is not signed"
    said = console.refused("statement", "approve", str(VU), VENDOR, status=1)
    remedy = f"`mailrouter statement vouch VU#{VU} Vendor --by mail` asks them whether it is theirs"
    assert said == f"the statement of Vendor is held: it is not signed; {remedy}"


def test_what_is_there_is_not_overwritten(console: Console, case: World, tmp_path: Path) -> None:
    case.feed(case.signed(TEXT, f"VU#{VU} statement"))
    folder = tmp_path / "proof"
    folder.mkdir()
    (folder / "statement.asc").write_text("mine")
    said = console.refused("statement", "show", str(VU), VENDOR, "--signed", str(folder), status=2)
    assert said == f"{folder / 'statement.asc'}: is there already"
    assert [path.name for path in folder.iterdir()] == ["statement.asc"]
    assert (folder / "statement.asc").read_text() == "mine"
    (tmp_path / "file").write_text("x")
    said = console.refused("statement", "show", str(VU), VENDOR, "--signed", str(tmp_path / "file"), status=2)
    assert "cannot be written to" in said


def test_for_people(console: Console, case: World) -> None:
    case.feed(case.signed(f"VU#{VU} \x1b[2J\u202e not affected\nat all\n", f"VU#{VU} statement"))
    shown = console.out("statement", "show", str(VU), VENDOR)
    assert "not affected\nat all\n" in shown
    assert "\\u000d" not in shown  # CRLF ends a line in mail
    assert "verified" in shown
    assert "yes, in what is signed" in shown
    assert not {"\x1b", "\u202e"} & set(shown)
    assert "Vendor" in console.out("statement", "list", str(VU))


def test_the_newest_stands_and_older_ones_can_be_asked_for(console: Console, case: World) -> None:
    case.feed(case.signed(f"VU#{VU} first\n", f"VU#{VU} statement"))
    case.day(1)
    case.feed(case.signed(f"VU#{VU} second\n", f"VU#{VU} statement"))
    assert [s["state"] for s in console.json("statement", "list", str(VU))] == ["superseded", "verified"]
    assert b"second" in console.run("statement", "show", str(VU), VENDOR, "--verbatim").stdout_bytes
    first = console.run("statement", "show", str(VU), VENDOR, "--verbatim", "--message", "2").stdout_bytes
    assert first == f"VU#{VU} first\r\n".encode()
    said = console.refused("statement", "show", str(VU), VENDOR, "--message", "1", status=1)
    assert said == f"no statement of Vendor on VU#{VU} in message 1"


def test_taken_approved_withdrawn(console: Console, case: World) -> None:
    case.feed(case.signed(f"VU#{VU}: we are not affected.\n", f"VU#{VU} our position"))
    assert console.json("statement", "list", str(VU)) == []
    assert console.out("statement", "take", "2") == "statement of Vendor: verified\n"
    said = console.out("statement", "approve", str(VU), VENDOR)
    sha256 = console.json("statement", "show", str(VU), VENDOR)["sha256"]
    assert said == f"statement of Vendor on VU#{VU} approved, SHA-256 {sha256}\n"
    shown = console.json("case", "show", str(VU))["statements"][0]
    assert (shown["approved"], shown["approved_by"]) == (True, "alice")
    console.run("statement", "withdraw", str(VU), VENDOR, "--why", "they asked for it")
    shown = console.json("statement", "show", str(VU), VENDOR)
    assert (shown["state"], shown["reason"]) == ("withdrawn", "they asked for it")
    assert "no statement of Vendor" in console.refused("statement", "withdraw", str(VU), VENDOR, "--why", "x", status=1)


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("show", str(VU), VENDOR), 1, f"no statement of Vendor on VU#{VU}"),
        (("show", str(VU), "Nobody"), 1, "'Nobody' takes no part"),
        (("show", str(VU), VENDOR, "--verbatim", "--json"), 2, "give one of --verbatim, --signed and --json"),
        (("take", "1"), 1, "message 1 is not filed as a participant's"),
        (("approve", str(VU), VENDOR), 1, f"no statement of Vendor on VU#{VU}"),
        (("withdraw", str(VU), VENDOR), 2, "Missing option '--why'"),
        (("withdraw", str(VU), VENDOR, "--why", "x"), 1, f"no statement of Vendor on VU#{VU}"),
    ],
)
def test_refused(console: Console, case: World, arguments: tuple[str, ...], status: int, said: str) -> None:
    before = case.journal()
    assert said in console.refused("statement", *arguments, status=status)
    assert case.journal() == before


def test_approving_needs_an_analyst(console: Console, case: World) -> None:
    case.feed(case.signed(TEXT, f"VU#{VU} statement"))
    said = console.as_login("root").refused("statement", "approve", str(VU), VENDOR, status=1)
    assert said == "approving needs an analyst; `mailrouter analyst add NAME --login root` makes you one"


def test_vouched_for_by_telephone(console: Console, case: World) -> None:
    case.feed(case.mail(PSIRT, f"VU#{VU} statement", TEXT))
    console.run("vendor", "set", VENDOR, "--phone", "+1 555 0100")
    said = console.out("statement", "vouch", str(VU), VENDOR, "--by", "telephone", "--spoke-with", "Jo Doe")
    sha256 = console.json("statement", "show", str(VU), VENDOR)["sha256"]
    order = f"mailrouter statement agree VU#{VU} Vendor --sha256 {sha256[:12]}"
    assert said == f"a second analyst must agree: {order}\n"
    refused = console.refused("statement", "agree", str(VU), VENDOR, "--sha256", sha256, status=1)
    assert refused == "alice made the call: a second analyst must agree"
    console.actor = Actor("bob", case.analyst("bob").id)
    assert "vouched for, SHA-256" in console.out("statement", "agree", str(VU), VENDOR, "--sha256", sha256[:12])
    shown = console.json("case", "show", str(VU))["statements"][0]
    by = shown["vouched"]
    assert (shown["state"], by["how"], by["asked_by"], by["agreed_by"], by["spoke_with"], by["telephone"]) == (
        "vouched", "telephone", "alice", "bob", "Jo Doe", "+1 555 0100",
    )  # fmt: skip
    assert "called by alice, agreed by bob" in console.out("statement", "show", str(VU), VENDOR)
    assert console.json("statement", "list", str(VU))[0]["vouched"] == by
    told = [step["what"] for step in console.json("case", "timeline", str(VU))]
    assert "Vendor confirmed a text by telephone; a second analyst must agree" in told


def test_vouched_for_by_mail(console: Console, case: World) -> None:
    case.feed(case.mail(PSIRT, f"VU#{VU} statement", TEXT))
    sha256 = console.json("statement", "show", str(VU), VENDOR)["sha256"]
    said = console.out("statement", "vouch", str(VU), VENDOR, "--by", "mail")
    [letter] = case.letters("voucher")
    assert said == f"letter {letter.id} returns the text of SHA-256 {sha256}\n"
    case.deliver()
    address = next(mail["Reply-To"] for mail in case.sent_to(PSIRT) if "+s" in (mail["Reply-To"] or ""))
    got = case.fed(case.mail(PSIRT, "Re: your text", f"I confirm {sha256[:16]}\r\n", to=(address,)))
    shown = console.json("statement", "show", str(VU), VENDOR)
    assert (shown["state"], shown["vouched"]["how"], shown["vouched"]["message"]) == ("vouched", "mail", got.id)
    assert f"by mail, message {got.id}" in console.out("statement", "show", str(VU), VENDOR)
    told = [step["what"] for step in console.json("case", "timeline", str(VU))]
    assert f"Vendor asked by letter {letter.id} to confirm a text" in told
    assert "statement of Vendor stands, vouched for by mail" in told


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("vouch", "--by", "mail", "--number", "+1 555 0100"), 2, "--number, --spoke-with and --why are about a call"),
        (("vouch", "--by", "telephone"), 2, "say --spoke-with whom"),
        (("vouch", "--by", "telephone", "--spoke-with", "Jo"), 1, "no statement of Vendor is held"),
        (("vouch", "--by", "pigeon"), 2, "'pigeon' is not one of"),
        (("agree", "--sha256", "12345678"), 1, "nobody vouched by telephone"),
        (("agree", "--sha256", "1234"), 2, "8 to 64 hexadecimal digits"),
    ],
)
def test_vouching_refused(console: Console, case: World, arguments: tuple[str, ...], status: int, said: str) -> None:
    verb, *options = arguments
    assert said in console.refused("statement", verb, str(VU), VENDOR, *options, status=status)


def test_whoever_vouches_for_what_came_encrypted_and_unproved_is_warned(console: Console, case: World) -> None:
    inner = f'Content-Type: text/plain; protected-headers="v1"\r\nSubject: VU#{VU} statement\r\n\r\nSecret.\r\n'
    case.feed(case.encrypted(inner.encode()))
    ran = console.run("statement", "vouch", str(VU), VENDOR, "--by", "mail")
    [letter] = case.letters("voucher")
    assert ran.exit_code == 0
    assert "came encrypted and unproved" in ran.stderr
    assert f"`mailrouter outbox hold {letter.id}`" in ran.stderr
