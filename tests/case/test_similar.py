"""Near-duplicates: what is the same is found, what is not never is; the sketch itself is the same for ever."""

import random
import re
from collections.abc import Iterator
from hashlib import sha256
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.case import similar
from mailrouter.case.similar import LIKELY, Like, percent, sketch
from mailrouter.mail.statement import text_of
from tests.cli.test_corpus import corpus  # noqa: F401 - a fixture

REPORT = """
The TLS session cache of Frobnitz 4.2 keeps a pointer to a session after it was freed. A client that resumes a session
while the cache is being flushed makes the server read freed memory; with a heap groomed by earlier handshakes the
attacker controls what is read, and a function pointer in it is called. We reached code execution as the user that runs
the daemon on Debian 12 in about one of thirty attempts. To reproduce, start frobnitzd with a cache of sixteen entries,
run the attached client in four processes and send SIGHUP to the daemon. Version 4.1 does not have the cache and is not
affected. We found it by fuzzing the handshake with a modified tlsfuzzer under AddressSanitizer.
"""
OTHER = """
An unauthenticated request to the backup endpoint of the Wibble router's web interface returns the configuration with
the administrator's password in it. The endpoint checks the Referer header and nothing else. Any host on the local
network, or any page the administrator visits, can fetch it. We tried models W-100 and W-200 with the firmware of last
May; the vendor's newest firmware behaves the same. A request with curl and the header set is enough to see it, and the
password is stored without a hash, so that it can be used at once to log in and to change the resolver's address.
"""


def made(text: str) -> bytes:
    found = sketch([text])
    assert found is not None
    return found


def test_a_sketch_has_256_bytes_and_never_changes():
    """Sketches are kept in the database: another version of this program must make the same."""
    assert len(made(REPORT)) == similar.BYTES == 256
    assert sha256(made(REPORT)).hexdigest()[:16] == "395c6c2bf2a21e75"


@pytest.mark.parametrize(
    "changed",
    [
        REPORT,
        REPORT.upper(),
        re.sub(r"\s+", "\r\n> ", REPORT),
        re.sub(r"[.,;]", " ", REPORT),
        "Dear colleagues, I send you this a second time, since I have not heard from you.\n" + REPORT,
        REPORT.replace("4.2", "4.3").replace("Debian 12", "Ubuntu 24.04"),
        REPORT + "\n-- \nA. Researcher, Example Labs, +1 555 0100",
    ],
)
def test_the_same_report_again_is_found(changed):
    assert percent(made(REPORT), made(changed)) >= LIKELY + 20


def test_another_report_is_not():
    assert percent(made(REPORT), made(OTHER)) <= 5


@pytest.mark.parametrize("text", ["", "XSS", "VU#123456", "Please see the attached report.",
                                  "the same words " * 500, "\x00" * 5000, "!?" * 5000])  # fmt: skip
def test_texts_that_say_next_to_nothing_are_like_nothing(text):
    assert sketch([text]) is None


def test_a_short_report_is_like_its_equal_and_like_nothing_else():
    short = "A long user name in the login of Frobnitz 4.2 stops the daemon."
    assert percent(made(short), made(re.sub(r"\s", "\r\n> ", short.upper()))) == 100
    for other in (short.replace("4.2", "4.3"), short + " Regards", REPORT, REPORT + short, OTHER):
        assert percent(made(short), made(other)) < LIKELY / 5
    assert sha256(made(short)).hexdigest()[:16] == "3243abed4ad055da"


few_words = st.lists(st.sampled_from(["overflow", "in", "the", "login", "of", "libfoo", "1", "2", "xss"]), max_size=25)


@given(few_words, few_words)
def test_short_texts_are_alike_only_when_their_words_are_the_same(one, other):
    mine, theirs = sketch([" ".join(one)]), sketch([" ".join(other)])
    if mine and theirs and len(set(zip(one, one[1:], one[2:], strict=False))) < similar.FEWEST:
        assert percent(mine, theirs) == (100 if one == other else pytest.approx(0, abs=5))


def test_pieces_are_read_in_their_order_and_no_run_crosses_them():
    assert sketch([REPORT, OTHER]) == sketch([OTHER, REPORT])
    assert sketch([REPORT, ""]) == sketch([REPORT])


@given(st.integers(0, 2**32), st.floats(0.5, 1))
def test_it_is_near_the_true_share(seed, kept):
    """Within what 128 classes allow: five standard deviations, and a little for small texts."""
    chance = random.Random(seed)
    one = [f"word{chance.randrange(400)}" for _ in range(chance.randrange(60, 300))]
    other = [word if chance.random() < kept else "changed" for word in one]
    mine, theirs = (set(zip(x, x[1:], x[2:], strict=False)) for x in (one, other))
    true = 100 * len(mine & theirs) / len(mine | theirs)
    assert abs(percent(made(" ".join(one)), made(" ".join(other))) - true) <= 30


@given(st.text(max_size=300), st.text(max_size=300))
def test_any_text_is_as_like_itself_as_can_be_and_likeness_goes_both_ways(one, other):
    mine, theirs = sketch([one]), sketch([other])
    if mine:
        assert percent(mine, mine) == 100
    if mine and theirs:
        assert percent(mine, theirs) == percent(theirs, mine)


@given(st.integers(0, 2**32), st.integers(50, 400))
def test_texts_without_a_word_in_common_are_not_alike(seed, length):
    chance = random.Random(seed)
    drawn = [chance.randrange(400) for _ in range(length)]
    one, other = (made(" ".join(f"{kind}{number}" for number in drawn)) for kind in ("word", "another"))
    assert percent(one, other) <= 4


def test_what_comes_after_the_longest_does_not_count():
    much = " ".join(f"w{n}" for n in range(20_000))
    assert len(much) > similar.LONGEST
    assert sketch([much]) == sketch([much + " and more"]) == sketch([much, REPORT])


# ---- among many ------------------------------------------------------------------------------------------------------


def crowd(seed: int, count: int) -> Iterator[tuple[int, bytes]]:
    chance = random.Random(seed)
    for number in range(count):
        yield number, made(" ".join(f"w{chance.randrange(3000)}" for _ in range(200)))


def test_the_likeliest_comes_first_and_nothing_is_like_itself():
    near, nearer = made(REPORT + OTHER[:250]), made(REPORT + " again")
    others = [*crowd(1, 200), (900, made(REPORT)), (901, near), (902, nearer), (903, made(OTHER))]
    found = similar.likely({900: made(REPORT)}, others)
    assert [like.report_id for like in found[900]] == [902, 901]
    assert found[900] == [Like(902, percent(made(REPORT), nearer)), Like(901, percent(made(REPORT), near))]
    assert similar.likely({903: made(OTHER)}, others) == {}
    assert similar.likely({}, others) == {}


def test_a_crowd_holds_no_likely_pair():
    others = list(crowd(2, 300))
    assert similar.likely(dict(others), others) == {}


def test_mails_of_the_corpus_are_not_like_each_other_by_accident(corpus: Path):  # noqa: F811 - the fixture
    """858 real mails, many of them variants of one: those found like each other truly have much in common."""
    texts = [text_of(file.read_bytes()).decode("utf-8", "replace") for file in sorted(corpus.rglob("*.eml"))]
    sketches = {n: own for n, text in enumerate(texts) if (own := sketch([text]))}
    for one, likes in similar.likely(sketches, list(sketches.items())).items():
        for like in likes:
            assert share(texts[one], texts[like.report_id]) > LIKELY / 100 - WITHIN


WITHIN = 0.15  # of the true share: nearly four standard deviations at the threshold, over some 100,000 pairs


def share(one: str, other: str) -> float:
    mine, theirs = ({run for words in similar._words([text]) for run in similar._runs(words)} for text in (one, other))
    return len(mine & theirs) / len(mine | theirs)


# ---- titles ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "least", "most"),
    [
        ("Heap overflow in libfoo 1.2", "heap overflow in LibFoo 1.2", 100, 100),
        ("Heap overflow in libfoo 1.2", "libfoo: heap overflow", 60, 70),
        ("Heap overflow in libfoo", "Heap overflow in libbar", 0, 0),
        ("XSS", "XSS", 0, 0),
        ("", "", 0, 0),
        ("A vulnerability in the product", "A vulnerability in the product of X", 0, 0),
    ],
)
def test_titles(one, other, least, most):
    assert least <= similar.titles(one, other) == similar.titles(other, one) <= most


def test_combinations_of_few_common_words_are_no_match():
    kinds = ("buffer overflow", "use after free", "sql injection", "path traversal")
    titles = [f"{kind} in {product}" for kind in kinds for product in ("Alpha", "Beta", "Gamma")]
    assert [pair for pair in combinations(titles, 2) if similar.titles(*pair) >= 70] == []
