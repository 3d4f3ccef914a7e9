"""Every reason has its remedy, in words that fit a letter and give nothing away."""

from datetime import UTC, datetime
from itertools import product

import pytest

from mailrouter.case.conditions import FLAGS, WORTH, Assurance
from mailrouter.case.receipt import (
    AGAIN,
    MISSING,
    NOT_VALID,
    REMEDIES,
    UNREADABLE,
    WITHOUT_A_KEY,
    Facts,
    Kind,
    Lack,
    reason,
    words,
)
from mailrouter.mail.pgpmime import Verdict
from mailrouter.mail.texts import LONGEST_VALUE

KEY = " ".join(["0123"] * 10)
FACTS = Facts(
    kind=Kind.HELD, vu=123456, vendor="Acme", assurance=Assurance.UNSIGNED, verdict="none", lack=Lack.UNSIGNED,
    fingerprint=KEY, signed_at=datetime(2026, 11, 2, tzinfo=UTC), expired_at=datetime(2026, 10, 1, tzinfo=UTC),
    has_key=True,
)  # fmt: skip


def of(**values: object) -> Facts:
    given = {name: getattr(FACTS, name) for name in Facts.__dataclass_fields__}
    return Facts(**(given | values))  # type: ignore[arg-type]


@pytest.mark.parametrize("lack", [lack for lack in Lack if lack is not Lack.INVALID])
def test_every_lack_has_a_remedy_of_its_own(lack: Lack) -> None:
    said = words(of(lack=lack))
    assert said.missing == f"What is missing: {MISSING[lack]}.".format(vu="VU#123456", vendor="Acme")
    assert said.proved == "", "it is said once"
    assert len(set(MISSING.values())) == len(Lack) - 1
    assert said.remedy == REMEDIES[lack].format(vu="VU#123456", vendor="Acme")
    assert len(set(REMEDIES.values())) == len(Lack) - 1


@pytest.mark.parametrize(
    ("verdict", "proved", "remedy"),
    [
        ("expired-key", f"the key {KEY} expired on 2026-10-01", f"Your key {KEY} expired on 2026-10-01: send us"),
        ("revoked-key", f"the key {KEY} is revoked", f"Your key {KEY} is revoked: send us your new key"),
        ("expired-signature", "the signature itself had an end", "without an end for the signature"),
        ("unknown-key", "a key that we do not hold", "send us the key you signed with"),
        ("good", "do not hold as yours", "send us the key you signed with"),
        ("unsupported", "too weak or not known", "SHA-256 or SHA-512"),
        ("bad", "not exactly, what was signed", "plain text signed as PGP/MIME"),
    ],
)
def test_every_verdict_that_is_not_good_says_what_helps(verdict: str, proved: str, remedy: str) -> None:
    said = words(of(assurance=Assurance.INVALID, verdict=verdict, lack=Lack.INVALID))
    assert (said.proved, said.missing) == ("", f"What is missing: {NOT_VALID[verdict]}.")
    assert remedy in said.remedy
    assert proved in words(of(kind=Kind.ANSWER, assurance=Assurance.INVALID, verdict=verdict, lack=None)).proved


def test_a_verdict_is_a_word_of_the_contract() -> None:
    for verdict in Verdict:
        assert words(of(assurance=Assurance.INVALID, verdict=str(verdict), lack=Lack.INVALID)).remedy


def test_without_a_known_key_or_end_the_sentence_still_reads() -> None:
    said = words(of(assurance=Assurance.INVALID, verdict="expired-key", lack=Lack.INVALID, fingerprint="",
                    expired_at=None))  # fmt: skip
    assert said.remedy.startswith("Your key expired meanwhile: send us")
    assert words(of(has_key=False)).remedy == WITHOUT_A_KEY


@pytest.mark.row("P107")
def test_what_could_not_be_read_is_told_in_one_way() -> None:
    said = {
        words(of(unreadable=True, kind=kind, lack=lack))
        for kind, lack in ((Kind.HELD, Lack.UNSIGNED), (Kind.HELD, Lack.EMPTY))
    }
    assert len(said) == 1
    assert {(one.proved, one.missing, one.remedy) for one in said} == {(UNREADABLE, "", AGAIN)}
    assert words(of(unreadable=True, kind=Kind.ANSWER, lack=None)).remedy == AGAIN


@pytest.mark.parametrize("jargon", ["pinned", "organisation", "bound", "hold", "verified", "it is"])
def test_what_is_missing_is_a_thing_and_no_word_of_ours(jargon: str) -> None:
    assert not any(jargon in phrase for phrase in (*MISSING.values(), *NOT_VALID.values()))


def test_a_good_signature_is_told_with_what_is_missing_beside_it() -> None:
    said = words(of(assurance=Assurance.VERIFIED, verdict="good", lack=Lack.UNBOUND))
    assert said.proved.startswith("Its signature is good")
    assert said.missing == "What is missing: the number VU#123456 in the text that you sign."


def test_every_sentence_fits_a_line_and_is_plain() -> None:
    everything = product(Kind, Assurance, [*map(str, Verdict)], [None, *Lack], (True, False), (True, False))
    for kind, assurance, verdict, lack, unreadable, repeated in everything:
        said = words(of(kind=kind, assurance=assurance, verdict=verdict, lack=lack, unreadable=unreadable,
                        repeated=repeated, vendor="{braces} %s $x " + "x" * 400))  # fmt: skip
        for sentence in (said.proved, said.becomes, said.missing, said.remedy):
            assert len(sentence) <= LONGEST_VALUE
            assert sentence.isascii()


def test_every_condition_that_can_lack_is_known_here() -> None:
    for row in (*WORTH, *FLAGS):
        assert reason(Lack(str(row.costs)))
    for worth in Assurance:
        assert worth is Assurance.VERIFIED or reason(Lack(str(worth)))
    assert all(reason(lack) for lack in Lack)
