"""Keys of vendors at the command line: who pinned them, what mails offered, what was decided."""

from pathlib import Path

import pytest

from mailrouter.store import candidates, contacts, journal
from tests.cli.console import Console
from tests.pgp.keys import Keymaker, Owner

PHONE = "telephone, number on file"


@pytest.fixture
def acme(console: Console) -> Console:
    """Alice, with one vendor."""
    console.run("vendor", "add", "ACME Inc.", "--email", "psirt@acme.example")
    return console


@pytest.fixture
def key_file(keymaker: Keymaker, tmp_path: Path) -> Path:
    path = tmp_path / "vendor.asc"
    path.write_bytes(keymaker.armored(keymaker.vendor.fingerprint))
    return path


def offer(console: Console, owner: Owner, *, proved: bool = False) -> None:
    """As a mail would."""
    with console.world.writing() as tx:
        row = {
            "organisation_id": contacts.named(tx, "ACME Inc.").id, "fingerprint": owner.fingerprint,
            "data": owner.public.data, "user_id": f"{owner.name} <{owner.address}>", "expires_at": None,
            "source": "attached", "message_id": None, "proved": proved, "seen_at": console.world.clock(),
        }  # fmt: skip
        assert candidates.offered(tx, row)


def grouped(fingerprint: str) -> str:
    return " ".join(fingerprint[i : i + 4] for i in range(0, 40, 4))


def test_pinning_shows_the_whole_fingerprint_and_keeps_who_and_how(
    acme: Console, key_file: Path, keymaker: Keymaker
) -> None:
    said = acme.run("vendor", "add-key", "ACME Inc.", str(key_file), "--channel", PHONE)
    assert f"ACME Inc.: {grouped(keymaker.vendor.fingerprint)} pinned" in said.stdout
    assert "Vendor PSIRT <psirt@vendor.example>" in said.stdout
    assert said.stderr == ""
    key = acme.json("vendor", "show", "ACME Inc.")["keys"][0]
    assert (key["state"], key["pinned_by"], key["channel"]) == ("valid", "alice", PHONE)
    assert f"by alice, compared over: {PHONE}" in acme.out("vendor", "show", "ACME Inc.")


def test_without_a_second_channel_it_says_so(acme: Console, key_file: Path) -> None:
    said = acme.run("vendor", "add-key", "ACME Inc.", str(key_file))
    assert "compared over no second channel: compare by telephone" in said.stderr
    assert "compared over no second channel" in acme.out("vendor", "show", "ACME Inc.")


@pytest.mark.row("P57")
def test_a_candidate_is_shown_with_the_command_that_pins_it(acme: Console, keymaker: Keymaker) -> None:
    offer(acme, keymaker.eve)
    shown = acme.json("vendor", "show", "ACME Inc.")
    assert shown["keys"] == []
    one = shown["candidates"][0]
    assert (one["fingerprint"], one["proved"], one["renews"]) == (keymaker.eve.fingerprint, False, False)
    text = acme.out("vendor", "show", "ACME Inc.")
    assert grouped(keymaker.eve.fingerprint) in text
    assert f"mailrouter vendor add-key 'ACME Inc.' --candidate {keymaker.eve.fingerprint}" in text
    acme.run("vendor", "add-key", "ACME Inc.", "--candidate", keymaker.eve.fingerprint, "--channel", PHONE)
    shown = acme.json("vendor", "show", "ACME Inc.")
    assert [(k["fingerprint"], k["channel"]) for k in shown["keys"]] == [(keymaker.eve.fingerprint, PHONE)]
    assert shown["candidates"] == []


def test_a_refused_candidate_is_gone(acme: Console, keymaker: Keymaker) -> None:
    offer(acme, keymaker.eve)
    acme.run("vendor", "refuse-key", "ACME Inc.", keymaker.eve.fingerprint)
    assert acme.json("vendor", "show", "ACME Inc.")["candidates"] == []
    for command in (("refuse-key", "ACME Inc."), ("add-key", "ACME Inc.", "--candidate")):
        said = acme.refused("vendor", *command, keymaker.eve.fingerprint, status=1)
        assert said == "no candidate has that fingerprint; `mailrouter vendor show` lists those there are"


def test_pinning_from_a_file_takes_the_candidate_too(acme: Console, keymaker: Keymaker, key_file: Path) -> None:
    offer(acme, keymaker.vendor)
    acme.run("vendor", "add-key", "ACME Inc.", str(key_file))
    assert acme.json("vendor", "show", "ACME Inc.")["candidates"] == []


def test_a_candidate_that_expired_while_it_waited_is_refused(acme: Console, keymaker: Keymaker) -> None:
    offer(acme, keymaker.expired)
    said = acme.refused("vendor", "add-key", "ACME Inc.", "--candidate", keymaker.expired.fingerprint, status=2)
    assert "has expired" in said
    assert len(acme.json("vendor", "show", "ACME Inc.")["candidates"]) == 1


@pytest.mark.row("P58")
@pytest.mark.parametrize(("command", "digits"), [("refuse-key", 8), ("retire-key", 16), ("--candidate", 32)])
def test_nothing_less_than_the_whole_fingerprint_names_a_key(
    acme: Console, keymaker: Keymaker, key_file: Path, digits: int, command: str
) -> None:
    acme.run("vendor", "add-key", "ACME Inc.", str(key_file))
    short = keymaker.vendor.fingerprint[-digits:]
    words = ["add-key", "ACME Inc.", command, short] if command == "--candidate" else [command, "ACME Inc.", short]
    said = acme.refused("vendor", *words, *(("--why", "x") if command == "retire-key" else ()), status=2)
    assert "a key is named by its fingerprint, 40 hexadecimal digits" in said


def test_a_retired_key_says_why_and_the_journal_too(acme: Console, keymaker: Keymaker, key_file: Path) -> None:
    acme.run("vendor", "add-key", "ACME Inc.", str(key_file))
    acme.run("vendor", "retire-key", "ACME Inc.", keymaker.vendor.fingerprint, "--why", "they lost it")
    key = acme.json("vendor", "show", "ACME Inc.")["keys"][0]
    assert (key["state"], key["retired_why"]) == ("retired", "they lost it")
    assert "retired 2026-03-02 09:00: they lost it" in acme.out("vendor", "show", "ACME Inc.")
    with acme.world.look() as tx:
        told = [e for e in journal.entries(tx, journal.node_chain("n1")) if e.kind == "vendor.key-retired"]
    assert [e.data["why"] for e in told] == ["they lost it"]


def test_proved_candidates_always_have_room(acme: Console, keymaker: Keymaker) -> None:
    with acme.world.writing() as tx:
        mine = contacts.named(tx, "ACME Inc.").id
        row = {
            "organisation_id": mine, "data": b"x", "user_id": "", "expires_at": None, "source": "attached",
            "message_id": None, "proved": False, "seen_at": acme.world.clock(),
        }  # fmt: skip
        kept = [candidates.offered(tx, row | {"fingerprint": f"{n:040X}"}) for n in range(candidates.MOST + 3)]
        assert kept == [True] * candidates.MOST + [False] * 3
        assert candidates.offered(tx, row | {"fingerprint": "A" * 40, "proved": True})
        waiting = [one.fingerprint for one in candidates.of(tx, mine)]
        assert len(waiting) == candidates.count(tx, mine) == candidates.MOST
        assert ("A" * 40 in waiting, f"{0:040X}" in waiting) == (True, False)


# ---- revoked, by a file ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def doomed(keymaker: Keymaker) -> tuple[bytes, bytes, bytes]:
    """A key as it was, as it is revoked, and its revocation certificate."""
    owner = keymaker.make("Doomed", "doomed@acme.example")
    before = keymaker.armored(owner.fingerprint)
    certificate = (keymaker.home / "openpgp-revocs.d" / f"{owner.fingerprint}.rev").read_bytes()
    return before, keymaker.armored(keymaker.revoke(owner).fingerprint), certificate.replace(b":-----B", b"-----B")


@pytest.mark.row("P119")
@pytest.mark.parametrize("form", [1, 2], ids=["a revoked copy", "a certificate"])
def test_a_revocation_from_a_file(acme: Console, doomed: tuple[bytes, ...], tmp_path: Path, form: int) -> None:
    file, revoked = tmp_path / "key.asc", tmp_path / "revoked.asc"
    file.write_bytes(doomed[0])
    revoked.write_bytes(doomed[form])
    said = acme.refused("vendor", "revoke-key", "ACME Inc.", str(revoked), status=1)
    assert said == "this file is about no key in use of ACME Inc."
    acme.run("vendor", "add-key", "ACME Inc.", str(file))
    assert "revoked; nothing is encrypted to it any more" in acme.out("vendor", "revoke-key", "ACME Inc.", str(revoked))
    key = acme.json("vendor", "show", "ACME Inc.")["keys"][0]
    assert (key["state"], key["revoked_at"]) == ("revoked", "2026-03-02T09:00:00Z")
    assert "revoked by itself" in acme.out("vendor", "show", "ACME Inc.")
    assert any("revoked itself (from a file)" in why for why in acme.world.notices())
    said = acme.refused("vendor", "add-key", "ACME Inc.", str(file), status=2)
    assert said == "this key was revoked by itself, and no older copy of it makes it good again"


@pytest.mark.row("P119")
def test_what_the_key_itself_does_not_say_is_refused(acme: Console, key_file: Path, keymaker: Keymaker) -> None:
    acme.run("vendor", "add-key", "ACME Inc.", str(key_file))
    said = acme.refused("vendor", "revoke-key", "ACME Inc.", str(key_file), status=2)
    assert f"mailrouter vendor retire-key 'ACME Inc.' {keymaker.vendor.fingerprint} --why" in said
    assert acme.json("vendor", "show", "ACME Inc.")["keys"][0]["state"] == "valid"
