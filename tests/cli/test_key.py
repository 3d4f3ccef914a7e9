"""`mailrouter key`: our own keys, made and brought along."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from mailrouter.pgp import Pgp
from mailrouter.store import journal
from mailrouter.tools import OwnKey
from tests.cli.console import Console
from tests.pgp.keys import Keymaker


@pytest.fixture
def keyless(console: Console, tmp_path: Path) -> Iterator[Console]:
    """A house without a key."""
    world = console.world
    pgp = Pgp(tmp_path / "g", tmp_path / "k")
    world.tools = replace(world.tools, pgp=pgp, own_key=OwnKey(pgp, world.tools.settings))
    yield console
    pgp.close()


@pytest.fixture
def ours(keymaker: Keymaker, tmp_path: Path) -> Path:
    """A file with the CERT's secret key."""
    path = tmp_path / "secret"
    path.write_bytes(keymaker.secret(keymaker.cert.fingerprint))
    return path


def test_none_yet(keyless: Console) -> None:
    assert keyless.json("key", "list") == []
    assert "key make" in keyless.out("key", "list")


def test_made_once(keyless: Console) -> None:
    fingerprint = keyless.out("key", "make").strip()
    [key] = keyless.json("key", "list")
    assert key.keys() == {
        "fingerprint", "user_ids", "created_at", "expires_at", "state", "can_sign", "can_encrypt", "signs",
    }  # fmt: skip
    assert (key["fingerprint"], key["user_ids"]) == (fingerprint, ["Our CERT <cert@cert.example>"])
    assert (key["can_sign"], key["can_encrypt"], key["signs"], key["expires_at"]) == (True, True, True, None)
    assert f"there is a key already, {fingerprint}" in keyless.refused("key", "make", status=1)
    assert len(keyless.json("key", "list")) == 1


def test_another_beside_it(keyless: Console) -> None:
    first = keyless.out("key", "make").strip()
    second = keyless.out("key", "make", "--force", "--name", "Zweite Stelle", "--email", "b@cert.example").strip()
    keys = {key["fingerprint"]: key for key in keyless.json("key", "list")}
    assert keys.keys() == {first, second}
    assert keys[second]["user_ids"] == ["Zweite Stelle <b@cert.example>"]
    assert [key["signs"] for key in keys.values()].count(True) == 1


def test_exported_and_used_elsewhere(keyless: Console, keymaker: Keymaker) -> None:
    """`export` needs a key, so it makes the first one."""
    armored = keyless.run("key", "export").stdout_bytes
    info = keyless.world.tools.pgp.import_public(armored)
    [key] = keyless.json("key", "list")
    assert info.fingerprint == key["fingerprint"]
    assert keyless.run("key", "export", key["fingerprint"]).stdout_bytes == armored
    assert b"PRIVATE" not in armored
    spaced = " ".join(key["fingerprint"][i : i + 4] for i in range(0, 40, 4)).lower()
    assert keyless.run("key", "export", spaced).stdout_bytes == armored


def test_export_of_another(keyless: Console) -> None:
    keyless.run("key", "make")
    keyless.refused("key", "export", "A" * 40, status=1)
    keyless.refused("key", "export", "AAAA", status=2)


def test_brought_along(keyless: Console, ours: Path, keymaker: Keymaker) -> None:
    assert keyless.out("key", "import", str(ours)).strip() == keymaker.cert.fingerprint
    assert keyless.world.tools.own_key() == keymaker.cert.fingerprint
    keyless.out("key", "import", str(ours))  # again: no change
    assert [key["fingerprint"] for key in keyless.json("key", "list")] == [keymaker.cert.fingerprint]


def test_the_journal_keeps_fingerprints(keyless: Console, ours: Path) -> None:
    made = keyless.out("key", "make").strip()
    brought = keyless.out("key", "import", str(ours)).strip()
    with keyless.world.look() as tx:
        told = [(e.kind, e.actor, e.data["fingerprint"]) for e in journal.entries(tx, "node:n1")]
    assert told == [("key.made", "alice", made), ("key.imported", "alice", brought)]


def test_letters_are_signed_with_it(keyless: Console, ours: Path, keymaker: Keymaker) -> None:
    keyless.run("key", "import", str(ours))
    keyless.world.vendor_case()
    [letter] = keyless.world.sent()
    assert letter.get_content_type() == "multipart/signed"


REFUSED = {
    "a public key": ("public", "this is a public key"),
    "no key": (b"hello", "there is no OpenPGP secret key"),
    "nothing": (b"", "there is no OpenPGP secret key"),
    "cut off": ("cut", "there is no OpenPGP secret key"),
    "two keys": ("two", "there are 2 secret keys"),
    "too large": (b"x" * 300_000, "larger than 256 kB"),
    "with a passphrase": ("protected", "has a passphrase"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_ours(keyless: Console, keymaker: Keymaker, tmp_path: Path, what: str) -> None:
    given, said = REFUSED[what]
    path = tmp_path / "file"
    path.write_bytes(given if isinstance(given, bytes) else made(keymaker, given, tmp_path))
    told = keyless.refused("key", "import", str(path), status=2)
    assert told.startswith(f"{path}: ")
    assert said in told
    assert keyless.json("key", "list") == []


def made(keymaker: Keymaker, what: str, folder: Path) -> bytes:
    secret = keymaker.secret(keymaker.cert.fingerprint)
    match what:
        case "public":
            return keymaker.armored(keymaker.cert.fingerprint)
        case "cut":
            return secret[: len(secret) // 2]
        case "two":
            return secret + keymaker.secret(keymaker.vendor.fingerprint)
    return _protected(folder / "p")


def _protected(home: Path) -> bytes:
    """A key whose secret part needs a passphrase."""
    pgp = Pgp(home / "g", home / "k", passphrase="open sesame")
    key = pgp.make_key("Somebody", "somebody@cert.example")
    exported = pgp._gpg().export_keys(key.fingerprint, secret=True, passphrase="open sesame")
    pgp.close()
    return str(exported).encode()
