"""`mailrouter key`: our own keys, made and brought along."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from mailrouter.flow.people import ownkeys
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
        "fingerprint", "user_ids", "created_at", "expires_at", "state", "can_sign", "can_encrypt", "signs", "use",
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


def test_made_with_an_end(keyless: Console) -> None:
    keyless.out("key", "make", "--expires", "2y")
    [key] = keyless.json("key", "list")
    assert key["expires_at"] is not None
    assert "a key expires after a time such as 2y" in keyless.refused(
        "key", "make", "--force", "--expires", "soon", status=2
    )


def test_rotated(keyless: Console, ours: Path, keymaker: Keymaker) -> None:
    assert "there is no key yet" in keyless.refused("key", "rotate", status=1)
    keyless.out("key", "import", str(ours))
    done = keyless.run("key", "rotate", "--why", "yearly", "--expires", "never")
    new = done.stdout.strip()
    assert f"signed with {keymaker.cert.fingerprint}, which is kept to read" in done.stderr
    assert f'Set identity.key = "{new}"' in done.stderr
    uses = {key["fingerprint"]: (key["use"], key["expires_at"]) for key in keyless.json("key", "list")}
    assert uses == {keymaker.cert.fingerprint: ("kept to read old mail", None), new: ("signs", None)}
    assert "kept to read old mail" in keyless.out("key", "list")
    assert "we hold no key" in keyless.refused("key", "rotate", "--to", "A" * 40, status=1)


def test_published_for_gpg_to_find(keyless: Console, ours: Path, keymaker: Keymaker, tmp_path: Path) -> None:
    """The names are those gpg computes, both layouts hold the one binary key, with our address alone."""
    keyless.out("key", "import", str(ours))
    site = tmp_path / "site"
    written = keyless.out("key", "publish", str(site)).splitlines()
    shown = keymaker.gpg("--with-wkd-hash", "--list-keys", keymaker.cert.fingerprint).decode()
    name = next(line.strip().partition("@")[0] for line in shown.splitlines() if line.endswith("@cert.example"))
    root = site / ".well-known" / "openpgpkey"
    files = [root / "policy", root / "hu" / name, root / "cert.example" / "policy", root / "cert.example" / "hu" / name]
    assert sorted(written) == sorted(map(str, [*files, site / "openpgp-key.asc"]))
    assert {oct(path.stat().st_mode & 0o777) for path in files} == {"0o644"}
    for key in (files[1], files[3]):
        listed = keymaker.gpg("--show-keys", "--with-colons", given=key.read_bytes()).decode().splitlines()
        assert [line.split(":")[9] for line in listed if line.startswith("uid")] == ["Our CERT <cert@cert.example>"]
    assert (site / "openpgp-key.asc").read_bytes() == keyless.run("key", "export").stdout_bytes
    keyless.out("key", "publish", str(site))  # again: the same files
    (tmp_path / "file").write_text("")
    assert "cannot be written" in keyless.refused("key", "publish", str(tmp_path / "file" / "x"), status=2)


def test_a_key_for_another_address_is_not_published(keyless: Console, tmp_path: Path) -> None:
    keyless.out("key", "make", "--email", "other@cert.example")
    assert "has no user id with the address cert@cert.example" in keyless.refused(
        "key", "publish", str(tmp_path), status=2
    )


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


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("make", "--force", "--expires", "2020-01-01"), "--expires 2020-01-01 lies in the past"),
        (("rotate", "--expires", "2020-01-01"), "--expires 2020-01-01 lies in the past"),
        (("rotate", "--to", "A" * 40, "--expires", "1y"), "--expires is about a new key: not with --to"),
    ],
)
def test_an_end_that_makes_no_sense(console: Console, arguments: tuple[str, ...], said: str) -> None:
    assert console.refused("key", *arguments, status=2) == said
    with console.world.look() as tx:
        assert journal.of_kinds(tx, [ownkeys.BEGUN, ownkeys.MADE]) == []
