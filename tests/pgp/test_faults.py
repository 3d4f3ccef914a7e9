"""A gpg that is broken, in every way we could think of: nothing is ever concluded from it (faults R17, R18)."""

import os
import resource
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailrouter.faults import TryLater
from mailrouter.mail.pgpmime import Opened, Verdict
from mailrouter.pgp import Pgp, runner
from tests.pgp import mails
from tests.pgp.keys import Keymaker, locked_quickly
from tests.servers.wait import until

# A stand-in finds the descriptor it has to write to as gpg does: after --status-fd.
STUB = """#!/bin/sh
[ "$1" = --version ] && echo 'gpg (GnuPG) 2.2.40' && exit 0
while [ $# -gt 0 ]; do [ "$1" = --status-fd ] && fd=$2; shift; done
say() { printf '%b' "$1" > /proc/self/fd/$fd; }
"""
GOOD = (
    "[GNUPG:] NEWSIG\\n[GNUPG:] GOODSIG AAAAAAAAAAAAAAAA x\\n"
    "[GNUPG:] VALIDSIG {0} 2026-01-01 1767225600 0 4 0 22 10 00 {0}"
).format("A" * 40)


@pytest.fixture
def home() -> Iterator[Path]:
    """A short folder."""
    with tempfile.TemporaryDirectory(prefix="mrf", dir="/tmp") as folder:
        yield Path(folder)


@pytest.fixture
def stubbed(home: Path) -> Callable[..., Pgp]:
    """A Pgp whose gpg is a shell script."""

    def make(script: str, limit: float = 20, given: Path | None = None) -> Pgp:
        program = home / "gpg-stub"
        program.write_text(STUB + script + "\n")
        program.chmod(0o755)
        return Pgp(given or home / "g", home / "k", limit=limit, program=str(program))

    return make


def signed_mail(keymaker: Keymaker) -> bytes:
    return mails.signed(keymaker.sign(mails.ENTITY, keymaker.vendor))


def encrypted_mail(keymaker: Keymaker) -> bytes:
    return mails.encrypted(keymaker.encrypt(mails.ENTITY, keymaker.cert))


def open_raw(pgp: Pgp, raw: bytes, keymaker: Keymaker) -> Opened:
    return pgp.open(raw, [keymaker.vendor.public], lambda issuer: (), datetime.now(UTC))


def open_signed(pgp: Pgp, keymaker: Keymaker) -> Opened:
    return open_raw(pgp, signed_mail(keymaker), keymaker)


def is_over(pid: int) -> bool:
    """Whether a process has ended, waited for or not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def open_encrypted(pgp: Pgp, keymaker: Keymaker) -> Opened:
    return open_raw(pgp, encrypted_mail(keymaker), keymaker)


SIGNED_OR_ENCRYPTED = {open_signed: signed_mail, open_encrypted: encrypted_mail}


@pytest.mark.row("R17")
@pytest.mark.parametrize("loud", [True, False])
def test_a_gpg_that_hangs_is_killed_with_all_its_children(
    stubbed: Callable[..., Pgp], keymaker: Keymaker, home: Path, loud: bool
) -> None:
    child = f"sleep 1000 & echo $! > {home}/child; {'say x' if loud else ':'}; sleep 1000"
    with pytest.raises(TryLater, match="longer than 1 seconds"):
        open_signed(stubbed(child, limit=1), keymaker)
    pid = int((home / "child").read_text())
    until(lambda: is_over(pid), "the child of a killed gpg is dead")


@pytest.mark.row("R17")
def test_a_gpg_that_ends_and_leaves_its_pipe_to_a_child(stubbed: Callable[..., Pgp], keymaker: Keymaker) -> None:
    with pytest.raises(TryLater):
        open_signed(stubbed(f"say '{GOOD}\\n'; sleep 1000 & exit 0", limit=1), keymaker)


@pytest.mark.row("R18")
@pytest.mark.parametrize(
    "script",
    [
        "kill -9 $$", "kill -11 $$", "exit 0", "exit 2", "exit 127", "say 'gpg: out of secure memory\\n'; exit 2",
        f"say '{GOOD}'", f"say '{GOOD}\\n'; kill -9 $$", f"say '{GOOD}\\n'; exit 3", f"say '{GOOD}\\nxx\\n'",
        "say '[GNUPG:] NEWSIG\\n[GNU'", f"say 'noise\\n{GOOD}\\n'",
    ],
)  # fmt: skip
def test_a_broken_gpg_is_never_a_verdict(stubbed: Callable[..., Pgp], keymaker: Keymaker, script: str) -> None:
    with pytest.raises(TryLater):
        open_signed(stubbed(script), keymaker)


@pytest.mark.row("R18")
def test_a_stand_in_that_speaks_well_is_believed(stubbed: Callable[..., Pgp], keymaker: Keymaker) -> None:
    """So the stand-ins above fail for what they do, not for being stand-ins."""
    assert open_signed(stubbed(f"say '{GOOD}\\n'"), keymaker).verdict is Verdict.GOOD


@pytest.mark.row("P16")
def test_endless_status_is_invalid_not_endless(stubbed: Callable[..., Pgp], keymaker: Keymaker) -> None:
    script = f"say '{GOOD}\\n'; yes '[GNUPG:] NOTATION_DATA x' > /proc/self/fd/$fd"
    assert open_signed(stubbed(script), keymaker).verdict is Verdict.BAD


def right(ask: Callable[[Pgp, Keymaker], Opened], got: Opened) -> bool:
    """What opening has to give, if it gives anything."""
    if ask is open_signed:
        return (got.verdict, got.content) == (Verdict.GOOD, mails.ENTITY)
    return (got.decrypted, got.content) == ("ok", mails.ENTITY)


@pytest.mark.row("R18")
@pytest.mark.parametrize("ask", [open_signed, open_encrypted])
@pytest.mark.parametrize("mebibytes", [1, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 24, 32, 48, 64])
def test_a_gpg_without_memory_is_right_or_silent(
    ours: Path, home: Path, keymaker: Keymaker, monkeypatch: pytest.MonkeyPatch, mebibytes: int,
    ask: Callable[[Pgp, Keymaker], Opened],
) -> None:  # fmt: skip
    """Wherever it runs out, at its start or in the middle of its work, nothing is concluded from that."""
    pgp = Pgp(ours, home / "k")
    pgp.own_keys()
    monkeypatch.setattr(runner, "MAX_MEMORY", mebibytes << 20)
    with suppress(TryLater):
        assert right(ask, ask(pgp, keymaker))
    monkeypatch.undo()
    assert right(ask, ask(pgp, keymaker))


@pytest.mark.row("R18")
@pytest.mark.parametrize("what", ["k", "g"])
@pytest.mark.parametrize("how", ["gone", "a file"])
@pytest.mark.parametrize("ask", [open_signed, open_encrypted])
def test_folders_that_cannot_be_used(
    ours: Path, home: Path, keymaker: Keymaker, what: str, how: str, ask: Callable[[Pgp, Keymaker], Opened]
) -> None:
    pgp = Pgp(ours, home / "k")
    assert pgp.own_keys()
    (home / what).rename(home / "away")
    if how == "a file":
        (home / what).write_bytes(b"")
    with suppress(TryLater):
        assert right(ask, ask(pgp, keymaker))
    if (home / what).is_dir():
        shutil.rmtree(home / what)
    (home / what).unlink(missing_ok=True)
    (home / "away").rename(home / what)
    assert right(ask, ask(pgp, keymaker)), "nothing is left of it"


@pytest.mark.row("R18")
@pytest.mark.parametrize("ask", [open_signed, open_encrypted])
def test_no_file_descriptors_for_gpg(
    ours: Path, home: Path, keymaker: Keymaker, ask: Callable[[Pgp, Keymaker], Opened]
) -> None:
    """Each number of them that is left, from none to enough; other files of this process may lie in between."""
    pgp, found = Pgp(ours, home / "k"), []
    assert right(ask, ask(pgp, keymaker))
    raw = SIGNED_OR_ENCRYPTED[ask](keymaker)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.dup(0)  # the next ones are given from here on
    os.close(lowest)
    try:
        for left in range(512):
            resource.setrlimit(resource.RLIMIT_NOFILE, (lowest + left, hard))
            try:
                found.append(right(ask, open_raw(pgp, raw, keymaker)))
            except TryLater:
                found.append(None)
            if found[-1]:
                break
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert False not in found
    assert {None, True} == set(found)


@pytest.mark.row("R17")
def test_an_agent_that_hangs(ours: Path, home: Path, keymaker: Keymaker) -> None:
    """It takes connections at its socket and says nothing."""
    pgp = Pgp(ours, home / "k", limit=2)
    assert open_encrypted(pgp, keymaker).decrypted == "ok"
    pgp.close()
    pgp = Pgp(ours, home / "k", limit=2)
    place = Path(os.fsdecode(pgp._agent._socket))
    place.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(place))
        silent.listen()
        with pytest.raises(TryLater):
            open_encrypted(pgp, keymaker)
        assert open_signed(pgp, keymaker).verdict is Verdict.GOOD, "what needs no secret key goes on"
    place.unlink()
    assert open_encrypted(Pgp(ours, home / "k"), keymaker).decrypted == "ok"


@pytest.mark.row("R18")
def test_no_gpg_at_all(home: Path, keymaker: Keymaker) -> None:
    with pytest.raises(TryLater):
        open_signed(Pgp(home / "g", home / "k", program=str(home / "none")), keymaker)


@pytest.fixture
def ours(home: Path, keymaker: Keymaker) -> Iterator[Path]:
    """A GNUPGHOME with our secret key."""
    pgp = Pgp(home / "g", home / "k")
    pgp._gpg().import_keys(keymaker.secret(keymaker.cert.fingerprint))
    yield home / "g"
    pgp.close()


@pytest.mark.row("R18")
def test_a_dead_agent_is_started_again(ours: Path, home: Path, keymaker: Keymaker) -> None:
    pgp = Pgp(ours, home / "k")
    for _ in range(2):
        assert open_encrypted(pgp, keymaker).decrypted == "ok"
        subprocess.run(["gpgconf", "--homedir", str(ours), "--kill", "gpg-agent"], check=True, timeout=30)


@pytest.mark.row("R18")
def test_an_agent_that_dies_under_gpg_is_no_failed_decryption(
    stubbed: Callable[..., Pgp], ours: Path, keymaker: Keymaker
) -> None:
    dying = f'gpgconf --homedir {ours} --kill gpg-agent; exec gpg "$@"'
    program = Path(stubbed("", given=ours)._program)
    program.write_text(f'#!/bin/sh\ncase "$*" in *--decrypt*) {dying};; *) exec gpg "$@";; esac\n')
    pgp = Pgp(ours, ours.parent / "k", program=str(program))
    with pytest.raises(TryLater, match="agent"):
        open_encrypted(pgp, keymaker)


@pytest.mark.row("R18")
def test_an_agent_that_cannot_be_started(
    ours: Path, home: Path, keymaker: Keymaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    subprocess.run(["gpgconf", "--homedir", str(ours), "--kill", "gpg-agent"], check=True, timeout=30)
    broken = home / "bin"
    broken.mkdir()
    (broken / "gpgconf").write_text(f'#!/bin/sh\ncase "$*" in *--list-dirs*) echo {ours}/S.gpg-agent;; esac\n')
    (broken / "gpgconf").chmod(0o755)
    with monkeypatch.context() as patched:
        patched.setenv("PATH", f"{broken}:{os.environ['PATH']}")
        with pytest.raises(TryLater, match="agent"):
            open_encrypted(Pgp(ours, home / "k"), keymaker)


@pytest.mark.row("R18")
@pytest.mark.parametrize("passphrase", [None, "wrong"])
def test_a_passphrase_of_ours_that_is_wrong_is_our_trouble(
    home: Path, keymaker: Keymaker, passphrase: str | None
) -> None:
    locked_quickly(home / "g")
    made = Pgp(home / "g", home / "k", "right")
    key = made.make_key("Our CERT", "locked@cert.example")
    raw = mails.encrypted(made.encrypt(mails.ENTITY, [key.public], sign=False))
    made.close()
    wrong = Pgp(home / "g", home / "k", passphrase)
    with pytest.raises(TryLater, match="passphrase"):
        wrong.open(raw, (), lambda issuer: (), datetime.now(UTC))
    wrong.close()
    right = Pgp(home / "g", home / "k", "right")
    assert right.open(raw, (), lambda issuer: (), datetime.now(UTC)).content == mails.ENTITY
    assert right.sign_detached(b"x")
    right.close()


def test_a_long_path_to_the_keys_kills_no_agent(home: Path, keymaker: Keymaker) -> None:
    pgp = Pgp(home / ("long" * 40) / "g", home / "k")
    pgp._gpg().import_keys(keymaker.secret(keymaker.cert.fingerprint))
    assert open_encrypted(pgp, keymaker).decrypted == "ok"
    pgp.close()


@pytest.mark.row("R18")
@pytest.mark.parametrize("script", ["sleep 1000", "kill -9 $$", "exit 1"])
def test_our_own_letters_wait_for_a_better_gpg(
    stubbed: Callable[..., Pgp], ours: Path, keymaker: Keymaker, script: str
) -> None:
    real = Pgp(ours, ours.parent / "k")
    program = Path(stubbed("", given=ours)._program)
    program.write_text(f'#!/bin/sh\ncase "$*" in *--detach-sign*|*--encrypt*) {script};; *) exec gpg "$@";; esac\n')
    pgp = Pgp(ours, ours.parent / "k", limit=1, program=str(program))
    with pytest.raises(TryLater):
        pgp.sign_detached(b"x")
    with pytest.raises(TryLater):
        pgp.encrypt(b"x", [keymaker.vendor.public])
    assert real.sign_detached(b"x").startswith(b"-----BEGIN PGP SIGNATURE-----")
