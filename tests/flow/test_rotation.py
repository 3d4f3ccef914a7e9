"""Our own key succeeded by another: who is told and by whose signature, what still opens, what doctor and beats say."""

import email
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mailrouter import faults, tools
from mailrouter.flow import doctor, letters
from mailrouter.flow.casework import coordinate, write
from mailrouter.flow.casework.write import Draft
from mailrouter.flow.people import keyhealth, ownkeys
from mailrouter.flow.sending import deliver
from mailrouter.flow.telling import tell
from mailrouter.flow.timing import watch
from mailrouter.mail.pgpmime import Opened, Verdict
from mailrouter.pgp import Pgp, PublicKey
from mailrouter.store import journal, outbox
from mailrouter.store.inbox import Holder
from mailrouter.store.outbox import Letter
from mailrouter.tools import OwnKey
from tests.flow.world import PSIRT, VENDOR, VU, MakeWorld, World
from tests.pgp.keys import Keymaker, locked_quickly
from tests.servers.wait import until

ONE_DATABASE = pytest.mark.parametrize("migrated_url", ["sqlite"], indirect=True)
ACME = "psirt@acme.example"
ENTITY = b"Content-Type: text/plain\r\n\r\nWe are looking into it.\r\n"


@pytest.fixture
def house(worlds: MakeWorld, keymaker: Keymaker) -> Iterator[World]:
    """A house with a GNUPGHOME of its own, our key in it, and a vendor with a key who has been written to."""
    world = worlds()
    with tempfile.TemporaryDirectory(prefix="mro", dir="/tmp") as folder:
        pgp = Pgp(Path(folder) / "g", Path(folder) / "k")
        pgp.import_own(keymaker.secret(keymaker.cert.fingerprint))
        with_pgp(world, pgp)
        world.vendor_case(key=True)
        yield world
        pgp.close()


def with_pgp(world: World, pgp: Pgp) -> None:
    """The same house with other keys."""
    world.tools = replace(world.tools, pgp=pgp, own_key=OwnKey(pgp, world.tools.settings))


def opened(world: World, letter: Letter, *known: PublicKey) -> Opened:
    """A letter as the vendor reads it who knows these keys of ours."""
    with tempfile.TemporaryDirectory(prefix="mrv", dir="/tmp") as folder:
        secret = world.keymaker.secret(world.keymaker.vendor.fingerprint)
        reader = Pgp.for_inspection(Path(folder), [], [secret])
        found = reader.open(letter.sealed or b"", known, lambda _: [], datetime.now(UTC))
        reader.close()
    return found


def test_who_has_an_open_case_with_us_is_told_once_by_the_old_key(house: World) -> None:
    house.organisation("Acme", ACME)
    house.organisation("Bolt", "psirt@bolt.example")
    house.case(VENDOR, "Acme", vu=222222)
    house.deliver()
    coordinate.add_vendor(house.tools, house.alice, 222222, "Bolt")  # takes part, was never written to
    done = ownkeys.rotate(house.tools, house.alice, why="yearly")
    old, new = house.keymaker.cert, done.new
    assert (done.old and done.old.fingerprint, done.signs, len(done.told)) == (old.fingerprint, True, 2)
    house.deliver()
    told = {letter.recipient: letter for letter in house.letters(ownkeys.CHANGED)}
    assert told.keys() == {PSIRT, ACME}
    assert f"VU#{VU}" in told[PSIRT].body  # of their two cases, the older one
    read = opened(house, told[PSIRT], old.public)
    assert (read.verdict, read.fingerprint, read.decrypted) == (Verdict.GOOD, old.fingerprint, "ok")
    for shown in (old.fingerprint, new.fingerprint):
        assert " ".join(shown[i : i + 4] for i in range(0, 40, 4)) in told[PSIRT].body
    assert not told[PSIRT].asks
    again = ownkeys.rotate(house.tools, house.alice, to=new.fingerprint)
    assert (again.old and again.old.fingerprint, again.told) == (old.fingerprint, ())
    with house.look() as tx:
        rotated = [dict(e.data) for e in journal.entries(tx, "node:n1") if e.kind == "key.rotated"]
    assert rotated[0] == {"fingerprint": new.fingerprint, "was": old.fingerprint, "signs": True, "why": "yearly"}
    assert house.breaks() == []


@ONE_DATABASE
def test_the_letter_brings_the_new_key_with_the_old_ones_word_for_it(house: World, tmp_path: Path) -> None:
    done = ownkeys.rotate(house.tools, house.alice)
    house.deliver()
    [letter] = house.letters(ownkeys.CHANGED)
    content = opened(house, letter, house.keymaker.cert.public).content
    inside = email.message_from_bytes(content or b"")
    [attached] = [part for part in inside.walk() if part.get_content_type() == "application/pgp-keys"]
    key = attached.get_payload(decode=True)
    assert isinstance(key, bytes)
    assert certified_by(tmp_path, key, house.keymaker.armored(house.keymaker.cert.fingerprint)) == {
        done.new.fingerprint[-16:], house.keymaker.cert.fingerprint[-16:],
    }  # fmt: skip
    assert house.tools.pgp.export() == key


def certified_by(folder: Path, key: bytes, others: bytes) -> set[str]:
    """The key ids whose signatures over the user id gpg finds good, in a home that knows the others' keys."""
    home = folder / "g"
    home.mkdir(mode=0o700)
    command = ["gpg", "--homedir", str(home), "--batch", "--quiet"]
    subprocess.run([*command, "--import"], input=others + key, check=True, timeout=60, capture_output=True)
    listed = subprocess.run([*command, "--with-colons", "--check-sigs"], check=True, timeout=60, capture_output=True)
    lines = [line.split(":") for line in listed.stdout.decode().splitlines()]
    newest = lines[[n for n, line in enumerate(lines) if line[0] == "pub"][-1] :]
    body = newest[: next((n for n, line in enumerate(newest) if line[0] == "sub"), None)]
    return {line[4] for line in body if line[0] == "sig" and line[1] == "!"}


@ONE_DATABASE
def test_letters_are_signed_with_the_new_key_and_mail_to_the_old_one_opens(house: World) -> None:
    new = ownkeys.rotate(house.tools, house.alice).new
    write.write(house.tools, house.alice, VU, [VENDOR], Draft("As agreed."))
    house.deliver()
    [letter] = house.letters("write")
    assert opened(house, letter, new.public).fingerprint == new.fingerprint
    assert opened(house, letter, house.keymaker.cert.public).verdict is Verdict.UNKNOWN_KEY
    message = house.fed(house.encrypted(ENTITY, f"VU#{VU}", signer=house.keymaker.vendor))
    assert (message.decrypted, message.verdict) == ("ok", "good")
    assert [key.fingerprint for key in house.tools.pgp.own_keys()] == [house.keymaker.cert.fingerprint, new.fingerprint]
    years = (new.expires or new.created) - new.created
    assert timedelta(days=729) < years < timedelta(days=732)


@ONE_DATABASE
def test_while_the_settings_fix_the_old_key_nobody_is_told(house: World) -> None:
    old = house.keymaker.cert.fingerprint
    home, keyrings = house.tools.pgp._home, house.folder / "keyrings"
    with_pgp(house, Pgp(home, keyrings, key=old))
    done = ownkeys.rotate(house.tools, house.alice)
    assert (done.signs, done.told, house.tools.own_key()) == (False, (), old)
    with_pgp(house, Pgp(home, keyrings, key=done.new.fingerprint))  # as the words of `key rotate` say
    again = ownkeys.rotate(house.tools, house.alice, to=done.new.fingerprint)
    assert (again.signs, len(again.told), again.old and again.old.fingerprint) == (True, 1, old)


def broken_off(*_: object) -> None:
    raise OSError("the power fails")


def makes_it_and_dies(pgp: Pgp) -> Callable[..., object]:
    real = pgp.make_key
    return lambda *given: broken_off(real(*given))


def vouches_and_dies(pgp: Pgp) -> Callable[..., object]:
    real = pgp.vouch_for
    return lambda *given: broken_off(real(*given))


BROKEN_OFF = {
    "before there is a key": lambda pgp: (pgp, "make_key", broken_off),
    "with the key": lambda pgp: (pgp, "make_key", makes_it_and_dies(pgp)),
    "before it is certified": lambda pgp: (pgp, "vouch_for", broken_off),
    "after it was": lambda pgp: (pgp, "vouch_for", vouches_and_dies(pgp)),
    "before anybody is told": lambda pgp: (ownkeys, "_tell", broken_off),
    "with the letters": lambda pgp: (letters, "to_participant", broken_off),
}


@ONE_DATABASE
@pytest.mark.parametrize("where", list(BROKEN_OFF))
def test_a_rotation_that_was_broken_off_goes_on_with_the_key_it_had_made(
    house: World, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """Nobody knows another key than the first: by its word alone can they believe the one that signs from now on."""
    first = house.keymaker.cert
    with monkeypatch.context() as broken:
        broken.setattr(*BROKEN_OFF[where](house.tools.pgp))
        with pytest.raises(OSError, match="the power fails"):
            ownkeys.rotate(house.tools, house.alice)
    done = ownkeys.rotate(house.tools, house.alice)
    assert (done.old and done.old.fingerprint, done.signs, len(done.told)) == (first.fingerprint, True, 1)
    assert [key.fingerprint for key in house.tools.pgp.own_keys()] == [first.fingerprint, done.new.fingerprint]
    house.deliver()
    [letter] = house.letters(ownkeys.CHANGED)
    assert opened(house, letter, first.public).verdict is Verdict.GOOD
    assert house.breaks() == []


@ONE_DATABASE
def test_a_key_that_was_brought_since_is_not_taken_for_the_one_that_was_to_be_made(
    house: World, keymaker: Keymaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(house.tools.pgp, "make_key", broken_off)
        with pytest.raises(OSError, match="the power fails"):
            ownkeys.rotate(house.tools, house.alice)
    brought = ownkeys.bring(house.tools, house.alice, keymaker.secret(keymaker.subkeyed[0].fingerprint))
    done = ownkeys.rotate(house.tools, house.alice)
    assert done.new.fingerprint not in (brought.fingerprint, keymaker.cert.fingerprint)
    assert (done.old and done.old.fingerprint) in (brought.fingerprint, keymaker.cert.fingerprint)


@ONE_DATABASE
def test_one_that_is_at_its_end_is_followed_by_the_next(house: World) -> None:
    second = ownkeys.rotate(house.tools, house.alice).new
    done = ownkeys.rotate(house.tools, house.alice)
    assert (done.old and done.old.fingerprint) == second.fingerprint
    assert done.new.fingerprint not in (second.fingerprint, house.keymaker.cert.fingerprint)


@ONE_DATABASE
def test_one_of_which_nobody_could_be_told_yet_is_the_one_to_tell_of(house: World) -> None:
    """Run again without `--to`, when the settings have changed or before."""
    old = house.keymaker.cert.fingerprint
    home, keyrings = house.tools.pgp._home, house.folder / "keyrings"
    with_pgp(house, Pgp(home, keyrings, key=old))
    first, again = (ownkeys.rotate(house.tools, house.alice) for _ in range(2))
    assert (again.new.fingerprint, again.told) == (first.new.fingerprint, ())
    with_pgp(house, Pgp(home, keyrings, key=first.new.fingerprint))
    done = ownkeys.rotate(house.tools, house.alice)
    assert (done.new.fingerprint, done.old and done.old.fingerprint) == (first.new.fingerprint, old)
    assert (done.signs, len(done.told)) == (True, 1)


@ONE_DATABASE
def test_an_imported_key_may_follow_too(house: World, keymaker: Keymaker) -> None:
    brought = ownkeys.bring(house.tools, house.alice, keymaker.secret(keymaker.subkeyed[0].fingerprint))
    with_pgp(house, Pgp(house.tools.pgp._home, house.folder / "keyrings", key=brought.fingerprint))
    done = ownkeys.rotate(house.tools, house.alice, to=brought.fingerprint)
    assert (done.new.fingerprint, done.signs, len(done.told)) == (brought.fingerprint, True, 1)
    with pytest.raises(faults.NotFound, match="we hold no key"):
        ownkeys.rotate(house.tools, house.alice, to=keymaker.eve.fingerprint)


@ONE_DATABASE
def test_without_a_key_there_is_none_to_follow(worlds: MakeWorld, tmp_path: Path) -> None:
    world = worlds()
    with_pgp(world, Pgp(tmp_path / "g", tmp_path / "k"))
    with pytest.raises(faults.Illegal, match="`mailrouter key make`"):
        ownkeys.rotate(world.tools, world.alice)


# ---- its end --------------------------------------------------------------------------------------------------------


@ONE_DATABASE
def test_the_operator_is_told_60_30_and_7_days_before_once_each_and_when_it_is_over(house: World) -> None:
    house.with_identity(operator="root@cert.example")
    key = ownkeys.rotate(house.tools, house.alice).new
    assert key.expires is not None
    said: dict[int, list[str]] = {}
    for days in (61, 60, 59, 30, 29, 8, 7, 1):
        house.clock.to(key.expires - timedelta(days=days))
        before = len(house.letters("operator-alarm"))
        tell.alarms(house.tools, house.clock())
        tell.alarms(house.tools, house.clock())
        said[days] = [one.body for one in house.letters("operator-alarm")[before:] if "our key" in one.body]
    assert {days: len(told) for days, told in said.items()} == {61: 0, 60: 1, 59: 0, 30: 1, 29: 0, 8: 0, 7: 1, 1: 0}
    assert "our key expires in 60 days" in said[60][0]
    assert key.fingerprint in said[7][0]
    house.clock.to(key.expires)
    for _ in range(2):
        tell.key_ended(house.tools, house.clock())
    assert [why for why in house.notices() if "our key has expired" in why] == [
        why for why in house.notices() if key.fingerprint in why and "has expired" in why
    ]
    assert sum("our key has expired" in item.item.why for item in house.queue("operator")) == 1


@ONE_DATABASE
@pytest.mark.parametrize(
    ("days", "state", "words"),
    [(31, "good", "expires "), (29, "warning", "`mailrouter key rotate`"), (0, "bad", "no letter can be signed")],
)
def test_doctor_warns_and_then_fails(house: World, days: int, state: str, words: str) -> None:
    key = ownkeys.rotate(house.tools, house.alice).new
    assert key.expires is not None
    at = key.expires - timedelta(days=days)
    said = [line for line in keyhealth.own_key(house.tools, at) if "identity.key" not in line[1]]
    assert [one[0] for one in said] == [state]
    assert words in said[0][1]
    assert [one[0] for one in keyhealth.archive_key(house.tools, at)] == [state]


@ONE_DATABASE
def test_doctor_looks_at_the_archive_key_that_is_configured(house: World, tmp_path: Path) -> None:
    path = tmp_path / "archive.asc"
    with_pgp(house, Pgp(house.tools.pgp._home, house.folder / "keyrings", archive=[str(path)]))
    said = []
    for key in (house.keymaker.eve, house.keymaker.expired):
        path.write_bytes(house.keymaker.armored(key.fingerprint))
        try:
            said += keyhealth.archive_key(house.tools, house.clock())
        except faults.Refused as fault:  # as `doctor` shows it: bad
            said.append(("bad", str(fault)))
    eve, expired = house.keymaker.eve.fingerprint, house.keymaker.expired.fingerprint
    assert said == [("good", f"{eve}, without expiry"), ("bad", f"the key {expired} has expired")]


@ONE_DATABASE
def test_a_key_that_expires_while_the_daemon_runs_is_not_followed_by_an_older_one(house: World) -> None:
    """Who was told of the new key would take a letter signed with the old one for a forgery: letters are held."""
    short = house.tools.pgp.make_key("Our CERT", "cert@cert.example", "1d")
    write.write(house.tools, house.alice, VU, [VENDOR], Draft("As agreed."))
    home = house.tools.pgp._short.path
    command = ["gpg", "--homedir", home, "--batch", "--quick-set-expire", short.fingerprint, "seconds=2"]
    subprocess.run(command, check=True, timeout=60, capture_output=True)
    until(lambda: (house.tools.pgp.chosen_key() or short).state == "expired", "the key to expire")
    with pytest.raises(faults.Refused, match=rf"{short.fingerprint} expired on .*; `mailrouter key rotate`"):
        house.tools.pgp.signing_key()
    assert deliver.work(house.tools)
    [letter] = house.letters("write")
    assert (letter.state, letter.sealed, "expired on" in letter.why) == ("held", None, True)


# ---- with a passphrase ----------------------------------------------------------------------------------------------


@ONE_DATABASE
def test_a_key_with_a_passphrase_works_from_its_import_to_a_letter_and_back(
    worlds: MakeWorld, keymaker: Keymaker, tmp_path: Path
) -> None:
    """Imported, signing, decrypting and made anew with nothing but `identity.passphrase_file`."""
    (tmp_path / "secret").write_text("open sesame\n")
    (tmp_path / "secret").chmod(0o600)
    with tempfile.TemporaryDirectory(prefix="mrl", dir="/tmp") as folder:
        locked_quickly(Path(folder) / "theirs")
        locked_quickly(Path(folder) / "ours")
        theirs = Pgp(Path(folder) / "theirs", tmp_path / "k", "open sesame")
        made = theirs.make_key("Our CERT", "cert@cert.example")
        data = theirs._gpg().export_keys(made.fingerprint, secret=True, passphrase="open sesame").encode()
        theirs.close()
        world = worlds(IDENTITY__PASSPHRASE_FILE=str(tmp_path / "secret"))
        world.with_identity(gnupg_home=Path(folder) / "ours")
        real = tools.make(world.tools.settings, Holder("n1", "1"), world.tools.db)
        world.tools = replace(world.tools, pgp=real.pgp, own_key=real.own_key)
        assert ownkeys.bring(world.tools, world.alice, data).fingerprint == made.fingerprint
        world.vendor_case(key=True)
        [letter] = world.letters("notification")
        assert opened(world, letter, made.public).fingerprint == made.fingerprint
        sealed = real.pgp.encrypt(ENTITY, [made.public], sign=False)
        assert sealed
        assert ownkeys.rotate(world.tools, world.alice).told  # the old one could sign the new: it was opened
        real.pgp.close()


@ONE_DATABASE
def test_a_key_whose_passphrase_is_gone_is_told_of(worlds: MakeWorld, tmp_path: Path) -> None:
    """It is listed as ever, and signs nothing: `doctor` tries it; outbox and operator are told the reason."""
    with tempfile.TemporaryDirectory(prefix="mrl", dir="/tmp") as folder:
        locked_quickly(Path(folder) / "g")
        knew = Pgp(Path(folder) / "g", tmp_path / "k", "open sesame")
        ours = knew.make_key("Our CERT", "cert@cert.example")
        knew.close()  # and its agent, which remembered the passphrase
        world = worlds()
        world.with_identity(gnupg_home=Path(folder) / "g", key=ours.fingerprint)
        real = tools.make(world.tools.settings, Holder("n1", "1"), world.tools.db)
        world.tools = replace(world.tools, pgp=real.pgp, own_key=real.own_key)
        [told] = [f for f in doctor.examine(world.tools.settings, world.clock()) if f.name == "own key"]
        assert (told.state, "identity.passphrase_file" in told.says) == ("bad", True)
        world.vendor_case(key=True)
        world.deliver()
        [letter] = world.letters("notification")
        assert (letter.state, letter.sealed, letter.reply) == ("queued", None, outbox.OUR_KEY)
        with pytest.raises(faults.CannotSign):
            real.pgp.sign_detached(ENTITY)
        alarms = [one.name for one in watch.troubles(world.tools, world.clock())]
        assert "our key does not sign" in alarms
        real.pgp.close()
