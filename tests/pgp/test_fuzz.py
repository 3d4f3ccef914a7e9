"""Zero false V: over mutated status streams, over mutated packets through gpg, and in gpgv's and sq's opinion."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import cycle, islice
from pathlib import Path

import pytest

from mailrouter.faults import TryLater
from mailrouter.mail.pgpmime import Opened, Verdict
from mailrouter.pgp import Pgp, PublicKey
from tests.pgp import fuzz, mails, opinions
from tests.pgp.cases import CASES
from tests.pgp.forge import armor
from tests.pgp.keys import Keymaker
from tests.pgp.mails import ENTITY, TEXT
from tests.pgp.table import Case, judge


@pytest.mark.row("P130")
@pytest.mark.parametrize("count", [10_000, pytest.param(1_000_000, marks=pytest.mark.long)])
def test_no_mutated_status_stream_is_good_unless_the_plain_rules_agree(count: int) -> None:
    seed, luck = fuzz.chance()
    good = 0
    for number in range(count):
        kind, answer, code = fuzz.stream(luck)
        proved = fuzz.engine(kind, answer, code)
        if proved is not None:
            good += 1
            agreed = fuzz.oracle(kind, answer, code)
            assert proved == agreed, f"FUZZ_SEED={seed}, stream {number}: {kind} {answer!r}, exit {code}"
    print(f"{count} streams, {good} good, each of them by the plain rules")
    assert good > count // 100, "the mutations leave enough that is right"


# ---- packets through gpg -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Target:
    """What is mutated, the mail made of it, the text that was signed, and the key gpg is given."""

    name: str
    content: bytes
    mail: Callable[[bytes], bytes]
    text: bytes
    key: Callable[[bytes], PublicKey]


def targets(keymaker: Keymaker) -> list[Target]:
    vendor = keymaker.vendor
    signature = keymaker.gpg("-u", vendor.fingerprint, "--detach-sign", given=ENTITY)
    cleartext = keymaker.sign(TEXT, vendor, mode="--clear-sign")
    sign = ("-u", vendor.fingerprint, "-z", "0", "--sign")
    encrypt = (*sign, "--encrypt", "--recipient", keymaker.cert.fingerprint)
    good = mails.signed(armor("SIGNATURE", signature))

    def known(_: bytes) -> PublicKey:
        return vendor.public

    def in_packets(kind: str) -> Callable[[bytes], bytes]:
        return lambda content: mails.text(armor(kind, content))

    return [
        Target("signature", signature, lambda data: mails.signed(armor("SIGNATURE", data)), ENTITY, known),
        Target("entity", ENTITY, lambda data: mails.signed(armor("SIGNATURE", signature), data), ENTITY, known),
        Target("whole mail", good, lambda data: data, ENTITY, known),
        Target("cleartext block", cleartext, lambda data: mails.text(data), TEXT, known),
        Target("one message", keymaker.gpg(*sign, given=TEXT), in_packets("MESSAGE"), TEXT, known),
        Target("encrypted", keymaker.gpg(*encrypt, given=TEXT), in_packets("MESSAGE"), TEXT, known),
        Target("key", vendor.public.data, lambda _: good, ENTITY, lambda data: PublicKey(vendor.fingerprint, data)),
    ]


def opened_with(pgp: Pgp, raw: bytes, key: PublicKey) -> Opened:
    return pgp.open(raw, (key,), lambda issuer: (), datetime.now(UTC))


def meaning(text: bytes) -> list[bytes]:
    """The text as a signature of text sees it: without what ends its lines."""
    return [line.rstrip(b" \t\r") for line in text.rstrip(b"\r\n").split(b"\n")]


@pytest.mark.row("P130")
@pytest.mark.row("P131")
@pytest.mark.parametrize("count", [350, pytest.param(50_000, marks=pytest.mark.long)])
def test_no_mutated_packet_is_good_unless_it_says_what_was_signed(
    pgp: Pgp, keymaker: Keymaker, tmp_path: Path, count: int
) -> None:
    opinions.needed()
    seed, luck = fuzz.chance()
    made = [(target, fuzz.mutations(target.content, luck)) for target in targets(keymaker)]
    good, later, disputed = 0, 0, []
    for number, (target, changed) in enumerate(islice(cycle(made), count)):
        content = next(changed)
        case = f"FUZZ_SEED={seed}, number {number}: {target.name} {content!r}"
        try:
            got = opened_with(pgp, target.mail(content), target.key(content))
        except TryLater:
            later += 1
            print("later:", case)
            continue
        if got.verdict is not Verdict.GOOD:
            assert got.decrypted == "ok" or got.content is None, case
            continue
        good += 1
        assert got.fingerprint == keymaker.vendor.fingerprint, case
        if got.covers == "all":
            assert meaning(got.content or b"") == meaning(target.text), case
        for opinion in opinions.opinions(got, keymaker.vendor.public, tmp_path):
            if not opinion.agrees:
                disputed.append(f"{opinion.program}: {opinion.words} {case}")
    print(f"{count} mutations, {good} good, {later} to be tried later, disputed:", *disputed, sep="\n")
    # sq reads numbers and lengths more strictly than GnuPG: one in a hundred of what is good it calls malformed.
    assert [dispute for dispute in disputed if not dispute.startswith("sq: Error: Malformed")] == []
    assert later == 0


SHOWN = {"V", "V+STALE", "V+UNBOUND", "S", "P"}


@pytest.mark.row("P131")
@pytest.mark.parametrize("given", [pytest.param(one, id=str(one)) for one in CASES if SHOWN & set(one.outcomes)])
def test_nothing_is_well_signed_that_gpgv_or_sq_refuses(
    pgp: Pgp, keymaker: Keymaker, given: Case, tmp_path: Path
) -> None:
    opinions.needed()
    made = given.make(keymaker)
    opened = judge(pgp, keymaker, made).opened
    if opened.verdict is Verdict.GOOD:
        everybody = (keymaker.vendor.public, keymaker.eve.public, *(made.vendors or ()), *(made.eves or ()))
        key = next(key for key in everybody if key.fingerprint == opened.fingerprint)
        assert [opinion for opinion in opinions.opinions(opened, key, tmp_path) if not opinion.agrees] == []
