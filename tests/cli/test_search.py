"""`mailrouter search`: any text is only a value, and finds what holds all its words."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailrouter.flow.casework import coordinate
from mailrouter.store import search
from tests.cli.console import Console

VU = 314159


@pytest.fixture
def filled(console: Console) -> Console:
    """A case, three organisations and three mails in triage."""
    world = console.world
    coordinate.open_case(world.tools, world.alice, "Heap overflow in libfoo, 100% reliable", vu=VU)
    coordinate.open_case(world.tools, world.alice, "ÜBERLAUF im Größenfeld", vu=VU + 1)
    for name in ("Acme Inc.", "a_b GmbH", "axb GmbH"):
        world.organisation(name, f"psirt@{name.split()[0].lower().replace('_', '-')}.example")
    for sender, subject in (
        ("finder@lab.example", "heap overflow, 50% of all calls"), ("finder@lab.example", "50 of all calls"),
        ("other@lab.example", r"path C:\temp\x"),
    ):  # fmt: skip
        world.feed(world.mail(sender, subject))
    return console


FINDS = [
    # words, cases, subjects of mails, organisations
    ("heap overflow", [VU], ["heap overflow, 50% of all calls"], []),
    ("OVERFLOW Heap", [VU], ["heap overflow, 50% of all calls"], []),
    ("libfoo", [VU], [], []),
    ("VU#314159", [VU], [], []),
    ("vu#3141", [VU + 1, VU], [], []),
    ("314160", [VU + 1], [], []),
    ("50%", [], ["heap overflow, 50% of all calls"], []),
    ("100%", [VU], [], []),
    ("a_b", [], [], ["a_b GmbH"]),
    ("gmbh", [], [], ["a_b GmbH", "axb GmbH"]),
    (r"c:\temp", [], [r"path C:\temp\x"], []),
    ("other@lab.example", [], [r"path C:\temp\x"], []),
    ("überlauf", [VU + 1], [], []),
    ("GRÖSSENFELD", [], [], []),  # ß and SS are not one letter here
    ("größenfeld", [VU + 1], [], []),
]


@pytest.mark.row("S36")
def test_finds(filled: Console) -> None:
    for words, cases, subjects, organisations in FINDS:
        with filled.world.look() as tx:
            found = search.find(tx, words)
        got = (
            [c.vu for c in found.cases], [m.subject for m in found.mails],
            sorted(o.name for o in found.organisations if o.kind == "organisation"),
        )  # fmt: skip
        assert got == (cases, subjects, organisations), words


NOTHING = ["", " ", "%", "_", "\\", "'", "' OR 1=1--", '"', "\0", "\x00%", "heap\0libbar", "a%b", "%%%%", "x" * 10_000]


@pytest.mark.row("S36")
@pytest.mark.parametrize("words", ["' OR 1=1--", "%%", "__", "\\\\", "nothing such", "heap nothing"])
def test_nothing_found_is_status_1(filled: Console, words: str) -> None:
    assert filled.refused("search", "--", words, status=1) == "nothing holds all these words"


@pytest.mark.row("S36")
def test_never_an_error(filled: Console) -> None:
    with filled.world.look() as tx:
        for words in NOTHING:
            search.find(tx, words)


@pytest.mark.row("S36")
def test_never_an_error_whatever_is_asked(filled: Console) -> None:
    @settings(max_examples=150, suppress_health_check=list(HealthCheck))
    @given(st.text(st.characters(exclude_categories=())))
    def ask(words: str) -> None:
        search.find(tx, words)

    with filled.world.look() as tx:  # one transaction: an error in it would fail all that follow
        ask()
        assert search.find(tx, "libfoo").cases


def test_json(filled: Console) -> None:
    found = filled.json("search", "heap", "overflow")
    assert found["cases"] == [{"vu": f"VU#{VU}", "title": "Heap overflow in libfoo, 100% reliable", "state": "open"}]
    [mail] = found["mails"]
    assert mail.keys() == {"id", "direction", "vu", "from", "subject", "received_at"}
    assert (mail["from"], mail["direction"]) == ("finder@lab.example", "in")
    assert found["organisations"] == []


def test_for_people(filled: Console) -> None:
    told = filled.out("search", "heap")
    assert f"VU#{VU}" in told
    assert "finder@lab.example" in told
    assert "Acme Inc." in filled.out("search", "acme")


def test_words_are_wanted(console: Console) -> None:
    assert "WORDS" in console.refused("search", status=2)
