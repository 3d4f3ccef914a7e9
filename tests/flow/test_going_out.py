"""What leaves encrypted, as its recipient opens it: in a clean home, by gpg and a parser, and by mutt itself.

One database is enough here: what is looked at is bytes. Consent, which is rows, has a file of its own.
"""

import base64
import email
import email.policy
import fcntl
import os
import pty
import re
import struct
import subprocess
import tempfile
import termios
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from email.message import Message as Mime
from pathlib import Path
from threading import Timer

import pytest

from mailrouter.flow.casework import write
from mailrouter.flow.casework.write import Draft
from mailrouter.flow.sending import outgoing, sealing
from mailrouter.pgp import Pgp, PublicKey, packets
from mailrouter.store import cases, contacts
from mailrouter.store.outbox import Letter
from tests.flow.world import OURS, PSIRT, VENDOR, VU, MakeWorld, World
from tests.pgp.keys import Keymaker, Owner
from tests.servers.wait import program

pytestmark = pytest.mark.parametrize("migrated_url", ["sqlite"], indirect=True)

TITLE = "A flaw in everything"  # of `World.case`
ACME = "psirt@acme.example"
NEUTRAL = f"[VU#{VU}] Vulnerability coordination"
Reader = Callable[..., bytes]


@pytest.fixture
def house(worlds: MakeWorld) -> World:
    """Two vendors with keys of their own in one case; their first letters have left."""
    world = worlds()
    world.organisation(VENDOR, PSIRT, key=world.keymaker.vendor)
    world.organisation("Acme", ACME, key=world.keymaker.eve)
    world.case(VENDOR, "Acme")
    world.deliver()
    return world


@pytest.fixture(scope="module")
def clean(keymaker: Keymaker) -> Iterator[Reader]:
    """gpg in a home that holds the vendor's secret key and our public one, and has seen nothing else."""
    with tempfile.TemporaryDirectory(prefix="mrc", dir="/tmp") as home:
        theirs = keymaker.secret(keymaker.vendor.fingerprint) + keymaker.armored(keymaker.cert.fingerprint)

        def gpg(*arguments: str, given: bytes = b"") -> bytes:
            command = ["gpg", "--homedir", home, "--batch", "--trust-model", "always", "--status-fd", "2", *arguments]
            done = subprocess.run(command, input=given, capture_output=True, timeout=60, check=True)
            gpg.said = done.stderr.decode()  # type: ignore[attr-defined]
            return done.stdout

        gpg("--import", given=theirs)
        gpg.home = home  # type: ignore[attr-defined]
        yield gpg
        subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], check=False, timeout=30)


def written(world: World, whom: str = VENDOR, text: str = "The details.", **draft: object) -> Letter:
    """Alice's letter to one of them, after delivery was tried."""
    [made] = write.write(world.tools, world.alice, VU, [whom], Draft(text, **draft))  # type: ignore[arg-type]
    world.deliver()
    return next(letter for letter in world.letters("write") if letter.id == made)


def armor(letter: Letter) -> bytes:
    """The OpenPGP message in it."""
    assert letter.sealed is not None
    return letter.sealed[letter.sealed.index(b"-----BEGIN PGP MESSAGE") :]


def readers(gpg: Reader, message: bytes) -> set[str]:
    """The key ids it is encrypted to, by gpg's own reading, of one who has none of the keys."""
    listed = gpg("--list-only", "--list-packets", given=message).decode()
    return set(re.findall(r"^:pubkey enc packet: .* keyid ([0-9A-F]{16})$", listed, re.MULTILINE))


def subkeys(*owners: Owner) -> set[str]:
    """The ids of their encryption keys."""
    return {packets.keys_of(owner.public.data)[1].fingerprint[-16:] for owner in owners}


# ---- Show 3 ---------------------------------------------------------------------------------------------------------


@pytest.mark.row("P124")
@pytest.mark.row("P122")
def test_a_letter_opened_in_a_clean_home(house: World, clean: Reader) -> None:
    letter = written(house, attachments=())
    mail = email.message_from_bytes(letter.sealed or b"")
    assert mail["Subject"] == NEUTRAL
    assert TITLE.encode() not in (letter.sealed or b"")
    entity = clean("--decrypt", given=armor(letter))
    assert f"GOODSIG {house.keymaker.cert.fingerprint[-16:]}" in clean.said  # type: ignore[attr-defined]
    inside = email.message_from_bytes(entity)
    assert inside["Subject"] == f"[VU#{VU}] Letter from Our CERT: {TITLE}"
    assert (inside.get_param("hp"), inside.get_param("protected-headers")) == ("cipher", "v1")
    outer = [line for line in inside.get_all("HP-Outer", []) if line.startswith("Subject:")]
    assert outer == [f"Subject: {NEUTRAL}"]
    assert inside.get_content_type() == "text/plain"
    assert b"The details." in entity
    assert b"Acme" not in entity + (letter.sealed or b"")
    assert ACME.encode() not in entity + (letter.sealed or b"")


@pytest.mark.row("P122")
def test_it_is_for_that_vendor_and_our_archive_and_says_nothing_of_a_file(house: World, clean: Reader) -> None:
    ours = house.keymaker.cert
    letters = {VENDOR: written(house), "Acme": written(house, "Acme")}
    for name, theirs in ((VENDOR, house.keymaker.vendor), ("Acme", house.keymaker.eve)):
        message = armor(letters[name])
        assert readers(house.keymaker.gpg, message) == subkeys(theirs, ours)
        assert b"Comment" not in message
        assert b"Version:" not in message
    clean("--list-packets", given=armor(letters[VENDOR]))
    listed = clean("--list-packets", given=armor(letters[VENDOR])).decode()
    assert 'name=""' in listed
    assert house.keymaker.gpg("--decrypt", given=armor(letters["Acme"]))  # the archive's secret key is ours


@pytest.mark.row("P122")
def test_all_usable_keys_of_that_one_organisation_and_only_the_usable(house: World) -> None:
    maker = house.keymaker
    second = maker.subkeyed[0]
    house.pin(VENDOR, second)
    assert readers(maker.gpg, armor(written(house))) == subkeys(maker.vendor, second, maker.cert)
    table = contacts.pinned_keys
    with house.writing() as tx:
        worn = table.update().where(table.c.fingerprint == second.fingerprint)
        tx.execute(worn.values(expires_at=house.clock() - timedelta(seconds=1)))
    assert readers(maker.gpg, armor(written(house))) == subkeys(maker.vendor, maker.cert)


@pytest.mark.row("P122")
@pytest.mark.parametrize("place", ["fingerprint", "file"])
def test_a_configured_archive_key_takes_the_place_of_the_one_we_sign_with(
    house: World, place: str, tmp_path: Path
) -> None:
    archive = house.keymaker.subkeyed[0]
    path = tmp_path / "archive.asc"
    path.write_bytes(house.keymaker.armored(archive.fingerprint))
    house.tools.pgp._gpg().import_keys(path.read_bytes())
    named = archive.fingerprint if place == "fingerprint" else str(path)
    _archived(house, named)
    assert readers(house.keymaker.gpg, armor(written(house))) == subkeys(house.keymaker.vendor, archive)


@pytest.mark.row("P121")
def test_an_archive_key_that_cannot_be_used_holds_the_letter(house: World, tmp_path: Path) -> None:
    path = tmp_path / "archive.asc"
    path.write_bytes(house.keymaker.armored(house.keymaker.expired.fingerprint))
    _archived(house, str(path))
    held = written(house)
    assert held.state == "held"
    assert "our archive key (identity.archive_key) cannot be used" in held.why
    path.write_bytes(b"no key")
    outgoing.release(house.tools, house.alice, held.id)
    house.deliver()
    [held] = house.letters("write")
    assert (held.state, "identity.archive_key: no public key can be read" in held.why) == ("held", True)


def _archived(world: World, *places: str) -> None:
    """The same house with these archive keys."""
    pgp = Pgp(world.tools.pgp._home, world.folder / "keyrings", archive=places)
    world.tools = replace(world.tools, pgp=pgp)


@pytest.mark.row("P124")
@pytest.mark.parametrize(
    ("title", "inside"),
    [
        ("Heap overflow — récursif", f"[VU#{VU}] Letter from Our CERT: Heap overflow — récursif"),
        ("What VU#654321 began", f"[VU#{VU}] Letter from Our CERT"),  # an answer would go to the other case
        ("The statement parser", f"[VU#{VU}] Letter from Our CERT"),  # an answer would be taken for a statement
        ("acme routers reboot", f"[VU#{VU}] Letter from Our CERT"),  # names who must not be named
        ("x\r\nBcc: all@x.example", f"[VU#{VU}] Letter from Our CERT: x Bcc: all@x.example"),
    ],
)
def test_which_subject_stands_inside(house: World, clean: Reader, title: str, inside: str) -> None:
    with house.writing() as tx:
        case = cases.by_vu(tx, VU)
        cases.change(tx, case.id, title=title)
        hidden = next(p for p in cases.participants_of(tx, [case.id]) if p.name == "Acme")
        cases.change_participant(tx, hidden.id, anonymous=True)
    letter = written(house)
    opened = email.message_from_bytes(clean("--decrypt", given=armor(letter)), policy=email.policy.default)
    assert opened["Subject"] == inside
    assert email.message_from_bytes(letter.sealed or b"")["Subject"] == NEUTRAL


def test_an_automatic_letter_names_no_title_even_inside(house: World, clean: Reader) -> None:
    house.day(14)
    house.beat()
    house.deliver()
    [letter] = [le for le in house.follow_ups() if le.recipient == PSIRT]
    assert letter.encrypted
    assert TITLE.encode() not in clean("--decrypt", given=armor(letter))
    assert email.message_from_bytes(letter.sealed or b"")["Subject"] == NEUTRAL


def test_their_reference_stays_outside_for_their_own_tickets(house: World) -> None:
    with house.writing() as tx:
        for one in cases.participants_of(tx, [cases.by_vu(tx, VU).id]):
            cases.change_participant(tx, one.id, their_ref="ACME-4411")
    mail = email.message_from_bytes(written(house).sealed or b"")
    assert mail["Subject"] == f"[VU#{VU}] [ACME-4411] Vulnerability coordination"


# ---- as people read it ----------------------------------------------------------------------------------------------


def test_mutt_shows_the_subject_from_inside(house: World, clean: Reader, tmp_path: Path) -> None:
    """mutt itself, at a terminal, with plain gpg: the letter decrypted, and its line in the list of mails."""
    mutt = program("mutt", "mutt")
    letter = written(house)
    box, shown, settings = tmp_path / "box", tmp_path / "shown", tmp_path / "muttrc"
    for name in ("cur", "new", "tmp"):
        (box / name).mkdir(parents=True)
    (box / "cur" / "1:2,").write_bytes((letter.sealed or b"").replace(b"\r\n", b"\n"))
    settings.write_text(MUTTRC.format(folder=tmp_path, shown=shown))
    environment = {"GNUPGHOME": clean.home, "HOME": str(tmp_path), "PATH": os.defpath, "TERM": "xterm"}  # type: ignore[attr-defined]
    screen = at_a_terminal([str(mutt), "-n", "-R", "-F", str(settings), "-f", str(box)], environment)
    assert f"[VU#{VU}] Letter from Our CERT: {TITLE}" in screen
    assert "The details." in shown.read_text()


MUTTRC = """
set folder={folder} crypt_use_gpgme=no pipe_decode=yes wait_key=no quit=yes index_format="%s"
set pgp_decode_command="gpg --batch --status-fd=2 --trust-model always --output - %f"
set pgp_decrypt_command="gpg --batch --status-fd=2 --trust-model always --output - --decrypt %f"
set pgp_verify_command="gpg --batch --status-fd=2 --trust-model always --verify %s %f"
push "<display-message><exit><pipe-message>cat > {shown}<enter><exit>"
"""


def at_a_terminal(command: list[str], environment: dict[str, str]) -> str:
    """What a program writes on a terminal of 120 columns until it ends."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    running = subprocess.Popen(command, env=environment, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    guard = Timer(60, running.kill)
    guard.start()
    written = b""
    try:
        while piece := os.read(ours, 65536):
            written += piece
    except OSError:  # Linux says so when the other end is closed
        pass
    finally:
        guard.cancel()
        os.close(ours)
        running.wait(60)
    return written.decode("utf-8", "replace")


# ---- never the wrong key, never in clear ----------------------------------------------------------------------------


@pytest.mark.row("P120")
def test_of_two_keys_with_one_user_id_the_pinned_one_is_used(house: World) -> None:
    maker = house.keymaker
    twin = maker.make(maker.vendor.name, maker.vendor.address)
    house.tools.pgp._gpg().import_keys(maker.armored(twin.fingerprint))  # somebody even put it into our own home
    letter = written(house)
    assert readers(maker.gpg, armor(letter)) == subkeys(maker.vendor, maker.cert)
    assert not readers(maker.gpg, armor(letter)) & subkeys(twin)


@pytest.mark.row("P121")
@pytest.mark.parametrize("trouble", ["retired", "expired", "revoked", "encrypts no more"])
def test_a_key_that_went_bad_while_the_letter_waited_is_seen_when_it_is_sealed(house: World, trouble: str) -> None:
    [made] = write.write(house.tools, house.alice, VU, [VENDOR], Draft("The details.", confidential=True))
    maker, table = house.keymaker, contacts.pinned_keys
    mine = table.c.fingerprint == maker.vendor.fingerprint
    with house.writing() as tx:
        match trouble:
            case "retired":
                tx.execute(table.update().where(mine).values(retired_at=house.clock()))
            case "expired":
                tx.execute(table.update().where(mine).values(expires_at=house.clock() - timedelta(seconds=1)))
            case "revoked":  # the database does not know it yet: gpg does
                revoked = maker.revoked.public
                tx.execute(table.update().where(mine).values(fingerprint=revoked.fingerprint, data=revoked.data))
            case _:
                old = maker.expired.public
                tx.execute(table.update().where(mine).values(fingerprint=old.fingerprint, data=old.data))
    house.deliver()
    letter = next(one for one in house.letters("write") if one.id == made)
    assert (letter.state, letter.sealed) == ("held", None)
    assert any(f"letter {made} is held" in why for why in house.notices())
    assert all("The details." not in str(mail) for mail in house.sent())


@pytest.mark.row("P105")
@pytest.mark.row("P123")
def test_what_came_encrypted_goes_back_encrypted_or_not_at_all(house: World) -> None:
    maker = house.keymaker
    entity = b"Content-Type: text/plain\r\n\r\nA secret of ours.\r\n"
    message = house.fed(house.encrypted(entity, f"VU#{VU}", signer=maker.vendor))
    quoted = Draft("Thank you.", quoted="> A secret of ours.", only_encrypted=True)
    write.reply(house.tools, house.alice, message.id, quoted)
    house.deliver()
    [answer] = house.letters("reply")
    assert (answer.state, answer.encrypted) == ("sent", True)
    with house.writing() as tx:
        one = next(p for p in cases.participants_of(tx, [cases.by_vu(tx, VU).id]) if p.name == VENDOR)
        contacts.retire(tx, one.organisation_id, maker.vendor.fingerprint, house.clock())
        cases.change_participant(tx, one.id, clear_text_at=house.clock() + timedelta(days=1), clear_text_by="alice")
    write.reply(house.tools, house.alice, message.id, quoted)
    house.deliver()
    held = house.letters("reply")[-1]
    assert (held.state, held.why.partition(":")[0]) == ("held", sealing.ONLY_ENCRYPTED)
    assert f"the key {maker.vendor.fingerprint} of {VENDOR} is retired" in held.why


@pytest.mark.row("P123")
def test_every_letter_is_plain_text(house: World, clean: Reader) -> None:
    written(house, text="<style>p{display:none}</style><p>words</p>")
    house.day(14)
    house.beat()
    house.deliver()
    for letter in house.letters():
        raw = letter.sealed or b""
        opened = clean("--decrypt", given=armor(letter)) if letter.encrypted and letter.recipient == PSIRT else raw
        assert {part.get_content_type() for part in email.message_from_bytes(opened).walk()} <= PLAIN_ONLY


PLAIN_ONLY = {
    "text/plain", "multipart/signed", "multipart/encrypted", "multipart/mixed", "application/pgp-signature",
    "application/pgp-encrypted", "application/octet-stream",
}  # fmt: skip


# ---- our key in every letter ----------------------------------------------------------------------------------------


def autocrypt(mail: Mime) -> dict[str, str]:
    """The attributes of its Autocrypt field."""
    field = re.sub(r"\s+", "", mail["Autocrypt"])
    return dict(part.split("=", 1) for part in field.split(";"))


def test_every_letter_we_sign_carries_our_key(house: World, keymaker: Keymaker) -> None:
    letter = written(house)
    told = autocrypt(email.message_from_bytes(letter.sealed or b""))
    assert told.keys() == {"addr", "prefer-encrypt", "keydata"}
    assert (told["addr"], told["prefer-encrypt"]) == (OURS, "mutual")
    listed = keymaker.gpg("--show-keys", "--with-colons", given=_decoded(told["keydata"])).decode()
    kinds = [line.split(":")[0] for line in listed.splitlines()]
    assert (kinds.count("pub"), kinds.count("uid"), kinds.count("sub")) == (1, 1, 1)
    assert keymaker.cert.fingerprint in listed
    assert len(_decoded(told["keydata"])) < 1000


def test_an_acknowledgement_carries_no_key(worlds: MakeWorld) -> None:
    world = worlds(POLICY__ACKNOWLEDGE_HOURS="24")
    world.feed(world.mail("somebody@else.example", "Hello"))
    world.deliver()
    [mail] = world.sent_to("somebody@else.example")
    assert (mail["Autocrypt"], mail.get_content_type()) == (None, "text/plain")


def _decoded(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def test_a_reader_of_ours_makes_of_it_what_was_sent(house: World, keymaker: Keymaker) -> None:
    """Our own router, as another CERT's: decrypted, verified, the subject from inside."""
    with tempfile.TemporaryDirectory(prefix="mrv", dir="/tmp") as folder:
        theirs = Pgp.for_inspection(Path(folder), [], [keymaker.secret(keymaker.vendor.fingerprint)])
        known = [PublicKey(keymaker.cert.fingerprint, keymaker.cert.public.data)]
        opened = theirs.open(written(house).sealed or b"", known, lambda _: [], house.clock() + timedelta(days=9999))
        theirs.close()
    assert (opened.verdict, opened.covers, opened.decrypted) == ("good", "all", "ok")
    assert opened.protected_subject == f"[VU#{VU}] Letter from Our CERT: {TITLE}"
