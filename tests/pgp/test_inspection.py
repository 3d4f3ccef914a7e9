"""`Pgp.for_inspection`: keys from files, many mails, and no process for mail without OpenPGP."""

import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailrouter.faults import Refused
from mailrouter.mail.pgpmime import Opened, Verdict
from mailrouter.pgp import Pgp
from tests.pgp import mails
from tests.pgp.keys import Keymaker, locked_quickly

Inspect = Callable[[list[bytes], list[bytes], bytes], Opened]


@pytest.fixture
def inspect() -> Iterator[Inspect]:
    """Open one mail with the keys of these files."""
    with tempfile.TemporaryDirectory(prefix="mri", dir="/tmp") as folder:
        made: list[Pgp] = []

        def look(public: list[bytes], secret: list[bytes], raw: bytes) -> Opened:
            home = Path(folder) / str(len(made))
            made.append(Pgp.for_inspection(home, public, secret))
            return made[-1].open(raw, (), lambda issuer: (), datetime.now(UTC))

        yield look
        for pgp in made:
            pgp.close()


@pytest.mark.parametrize("armored", [True, False])
def test_public_keys_from_files(inspect: Inspect, keymaker: Keymaker, armored: bool) -> None:
    vendor = keymaker.armored(keymaker.vendor.fingerprint) if armored else keymaker.vendor.public.data
    both = keymaker.armored(keymaker.eve.fingerprint, keymaker.expired.fingerprint)
    for owner in (keymaker.vendor, keymaker.eve):
        got = inspect([vendor, both], [], mails.signed(keymaker.sign(mails.ENTITY, owner)))
        assert (got.verdict, got.fingerprint) == (Verdict.GOOD, owner.fingerprint)


def test_a_secret_key_decrypts_and_its_public_part_is_known(inspect: Inspect, keymaker: Keymaker) -> None:
    secrets = [keymaker.secret(owner.fingerprint) for owner in (keymaker.cert, keymaker.eve)]
    raw = mails.encrypted(keymaker.encrypt(mails.ENTITY, keymaker.cert, signer=keymaker.eve))
    got = inspect([], secrets, raw)
    assert (got.decrypted, got.verdict, got.fingerprint) == ("ok", Verdict.GOOD, keymaker.eve.fingerprint)
    assert inspect([], secrets, mails.signed(keymaker.sign(mails.ENTITY, keymaker.eve))).verdict is Verdict.GOOD


def test_without_keys(inspect: Inspect, keymaker: Keymaker) -> None:
    got = inspect([], [], mails.encrypted(keymaker.encrypt(mails.ENTITY, keymaker.cert)))
    assert (got.encrypted, got.decrypted) == (True, "fail")
    assert inspect([], [], mails.signed(keymaker.sign(mails.ENTITY, keymaker.eve))).verdict is Verdict.UNKNOWN_KEY


def test_a_locked_secret_key(keymaker: Keymaker) -> None:
    with tempfile.TemporaryDirectory(prefix="mri", dir="/tmp") as folder:
        locked_quickly(Path(folder) / "g")
        made = Pgp(Path(folder) / "g", Path(folder) / "k", "pass word")
        key = made.make_key("CERT", "locked@cert.example")
        raw = mails.encrypted(made.encrypt(mails.ENTITY, [key.public]))
        secret = made._gpg().export_keys([key.fingerprint], secret=True, passphrase="pass word").encode()
        made.close()
        pgp = Pgp.for_inspection(Path(folder) / "i", [], [secret], "pass word")
        got = pgp.open(raw, (), lambda issuer: (), datetime.now(UTC))
        assert (got.decrypted, got.verdict) == ("ok", Verdict.GOOD)
        pgp.close()


def test_mail_without_openpgp_starts_no_process(
    tmp_path: Path, keymaker: Keymaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    public, secret = keymaker.vendor.public.data, keymaker.secret(keymaker.cert.fingerprint)
    monkeypatch.setenv("PATH", str(tmp_path))  # there is no gpg to be found
    pgp = Pgp.for_inspection(tmp_path / "h", [public], [secret])
    raw = mails.text(b"VU#123456: our answer, with a word about PGP and its keys.\r\n")
    for _ in range(2000):
        assert pgp.open(raw, (), lambda issuer: (), datetime.now(UTC)) == Opened()


@pytest.mark.parametrize("data", [b"", b"text", b"\x99\x00"])
def test_a_file_that_is_no_key_is_refused_by_its_place(tmp_path: Path, keymaker: Keymaker, data: bytes) -> None:
    good = keymaker.vendor.public.data
    with pytest.raises(Refused, match="public key file 2 holds no public key"):
        Pgp.for_inspection(tmp_path, [good, data], [])
    with pytest.raises(Refused, match="secret key file 1 holds no secret key"):
        Pgp.for_inspection(tmp_path, [], [data])
    with pytest.raises(Refused, match="secret key file 1"):
        Pgp.for_inspection(tmp_path, [], [good])
