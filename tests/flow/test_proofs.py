"""Proofs for others: every form is verified by plain gpg and by sq, with the exported key alone."""

import json
import subprocess
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mailrouter.faults import NotFound
from mailrouter.flow.actor import Actor
from mailrouter.flow.casework import coordinate, vouching
from mailrouter.flow.people import directory, proofs
from mailrouter.store import analysts, statements
from mailrouter.store.tables import key_names, pinned_keys
from tests.flow.world import PSIRT, VENDOR, VU, World
from tests.servers.wait import program

SUBJECT = f"VU#{VU} statement"
TEXT = f"VU#{VU}\nOur product is not affected.\n- a dash, größer\n"
ENTITY = b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + TEXT.replace("\n", "\r\n").encode()
NUMBER = "+1 555 0100"


@pytest.fixture
def house(world: World) -> World:
    """A vendor with a pinned key, written to."""
    world.vendor_case(key=True)
    return world


def exported(house: World, folder: Path) -> dict[str, Any]:
    """The export written to a folder; its manifest."""
    with house.look() as tx:
        made = proofs.export(tx, VU, house.clock())
    for name, content in made.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    manifest: dict[str, Any] = json.loads(made.files["manifest.json"])
    return manifest


def gpg(home: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    home.mkdir(mode=0o700, exist_ok=True)
    return subprocess.run(
        ["gpg", "--homedir", home, "--batch", "--no-autostart", "--status-fd", "1", *arguments],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


FORMS = {
    "mime": lambda house: house.signed(TEXT, SUBJECT),
    "cleartext": lambda house: house.cleartext(TEXT, SUBJECT),
    "message": lambda house: house.encrypted(ENTITY, SUBJECT, signer=house.keymaker.vendor),
}


@pytest.mark.row("P01")
@pytest.mark.row("P02")
@pytest.mark.row("P03")
@pytest.mark.parametrize("form", FORMS)
def test_plain_gpg_in_an_empty_home_and_sq_agree(house: World, tmp_path: Path, form: str) -> None:
    house.feed(FORMS[form](house))
    [told] = exported(house, tmp_path)["statements"]
    signature = told["signature"]
    assert (signature["form"], told["state"], told["sha256"]) == (form, "verified", house.statements()[0].sha256)
    assert gpg(tmp_path / "home", "--import", tmp_path / signature["key"]).returncode == 0
    files = [tmp_path / name for name in signature["files"]]
    done = gpg(tmp_path / "home", "--verify", *files)
    assert done.returncode == 0, done.stderr
    assert f"VALIDSIG {house.keymaker.vendor.fingerprint}" in done.stdout
    assert gpg(tmp_path / "other", "--verify", *files).returncode != 0
    detached = ["--detached"] if form == "mime" else []
    sq = [program("sq", "sq"), "verify", "--signer-cert", tmp_path / signature["key"], *detached, *files]
    said = subprocess.run(sq, capture_output=True, text=True, timeout=60, check=False)
    assert said.returncode == 0, said.stderr


def test_the_readme_names_the_commands_that_work(house: World, tmp_path: Path) -> None:
    house.feed(FORMS["cleartext"](house))
    exported(house, tmp_path)
    (tmp_path / "home").mkdir(mode=0o700)
    lines = (tmp_path / "README.txt").read_text().splitlines()
    commands = [line.split() for line in lines if line.startswith("  gpg --homedir home")]
    assert len(commands) == 2
    for gpg_, *rest in commands:
        done = subprocess.run([gpg_, "--batch", *rest], cwd=tmp_path, capture_output=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr


def test_the_key_is_the_one_it_was_proved_with_whatever_became_of_it(house: World, tmp_path: Path) -> None:
    house.feed(house.signed(TEXT, SUBJECT))
    statement = house.statements()[0]
    with house.look() as tx:
        assert proofs.of(tx, statement).key_now(house.clock()) == "in use"
    before = exported(house, tmp_path / "before")["statements"][0]["signature"]
    house.clock.forward(days=1)
    directory.retire_key(house.tools, house.alice, VENDOR, house.keymaker.vendor.fingerprint, "lost")
    after = exported(house, tmp_path / "after")["statements"][0]["signature"]
    assert after["key_now"] == f"retired on {house.clock():%Y-%m-%d}"
    assert after["when_it_came"] == before["when_it_came"] == {
        "verdict": "good", "covers": "all", "gpg": before["when_it_came"]["gpg"],
    }  # fmt: skip
    assert (after["key_sha256"], after["key_as_it_was"]) == (before["key_sha256"], True)
    assert (tmp_path / "after" / after["key"]).read_bytes() == (tmp_path / "before" / before["key"]).read_bytes()


def test_a_key_that_was_renewed_or_has_ended_is_said_to_be(house: World) -> None:
    house.feed(house.signed(TEXT, SUBJECT))
    tomorrow = house.clock() + timedelta(days=1)

    def now_that(change: Any, at: datetime) -> str:
        with house.writing() as tx:
            tx.execute(change)
        with house.look() as tx:
            return proofs.of(tx, statements.of_case(tx, 1)[0]).key_now(at)

    renewed = pinned_keys.update().values(data=b"another form of it")
    assert now_that(renewed, house.clock()) == "in use, renewed since"
    ended = pinned_keys.update().values(expires_at=tomorrow)
    assert now_that(ended, tomorrow + timedelta(days=1)) == f"expired on {tomorrow:%Y-%m-%d}"
    with house.writing() as tx:
        tx.execute(key_names.delete())
    assert now_that(pinned_keys.delete(), tomorrow) == "pinned to nobody"


def test_only_what_stands_each_in_a_folder_of_its_own(house: World, tmp_path: Path) -> None:
    for name in ("Acme", "ACME!", "\u5927\u962a"):
        house.organisation(name, f"psirt{ord(name[-1])}@acme.example")
        coordinate.add_vendor(house.tools, house.alice, VU, name)
        directory.set_vendor(house.tools, house.alice, name, directory.Change(telephone=NUMBER))
    with house.look() as tx, pytest.raises(NotFound, match="no statement stands on VU#123456"):
        proofs.export(tx, VU, house.clock())
    for sender in ("psirt101", "psirt33", "psirt38442"):
        house.feed(house.mail(f"{sender}@acme.example", SUBJECT, f"{sender}\r\n"))
    house.feed(house.signed(TEXT, SUBJECT))
    assert [one["vendor"] for one in exported(house, tmp_path)["statements"]] == [VENDOR]
    for name in ("Acme", "ACME!", "\u5927\u962a"):
        vouch(house, name)
    folders = [one["folder"] for one in exported(house, tmp_path / "2")["statements"]]
    assert folders == ["acme", "acme-2", "vendor", "vendor-2"]


def test_those_who_take_part_anonymously_are_named_nowhere(house: World) -> None:
    house.organisation("Hidden", "psirt@hidden.example")
    coordinate.add_vendor(house.tools, house.alice, VU, "Hidden", anonymous=True)
    directory.set_vendor(house.tools, house.alice, "Hidden", directory.Change(telephone=NUMBER))
    house.feed(house.signed(TEXT, SUBJECT), house.mail("psirt@hidden.example", SUBJECT, "It is us.\r\n"))
    vouch(house, "Hidden")
    with house.look() as tx:
        made = proofs.export(tx, VU, house.clock())
    assert made.left_out == 1
    assert not any("hidden" in name for name in made.files)
    assert not any(b"idden" in content or b"It is us" in content for content in made.files.values())


def second(house: World) -> Actor:
    """Another analyst."""
    with house.look() as tx:
        known = {one.name: one.id for one in analysts.everyone(tx)}
    return Actor("carol", known.get("carol") or house.analyst("carol").id)


def vouch(house: World, name: str) -> None:
    call = vouching.Call("", "Jo Doe")
    vouching.by_telephone(house.tools, house.alice, VU, name, call)
    sha256 = next(s.sha256 for s in house.statements() if s.vendor == name)
    vouching.agree(house.tools, second(house), VU, name, sha256)


def test_a_vouched_one_says_how_and_names_no_person(house: World, tmp_path: Path) -> None:
    folder = tmp_path / "export"
    house.feed(house.mail(PSIRT, SUBJECT, "Not affected.\r\n"))
    directory.set_vendor(house.tools, house.alice, VENDOR, directory.Change(telephone=NUMBER))
    vouch(house, VENDOR)
    [told] = exported(house, folder)["statements"]
    assert (told["state"], told["vouched"]["how"], "signature" in told) == ("vouched", "telephone", False)
    assert sorted(path.name for path in (folder / "vendor").iterdir()) == ["statement.txt"]
    everything = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert not any(word in everything for word in (b"Jo Doe", b"555 0100", b"carol", b"alice"))
    assert "confirmed it by telephone on" in (folder / "README.txt").read_text()
