"""Orders by mail: whose they are, row by row; and what of a mail is an order, what is text, and what is neither."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mailrouter.case import orders
from mailrouter.case.actions import File, KeepOrder, TellRefused
from mailrouter.case.events import MailArrived, Ordered, Routed
from mailrouter.case.model import Place
from mailrouter.case.orders import WORDS, Facts, Tie, Written
from mailrouter.case.standing import Assurance, Standing

THEIRS = Facts(
    alone=True, given=True, has_key=True, sender=True, verdict="good", reason="", fingerprint=True, whole=True,
    stale=False, before=None,
)  # fmt: skip
SHA = "44bae50e" * 8


# ---- whose they are --------------------------------------------------------------------------------------------------


def test_a_mail_that_lacks_nothing_is_theirs() -> None:
    assert orders.refusal(THEIRS) == ""


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"given": False}, "the address was given to nobody"),
        ({"alone": False}, "it was sent to several addresses of ours at once"),
        ({"has_key": False}, "there is no key of yours on file"),
        ({"sender": False}, "its From is not exactly your registered address"),
        ({"verdict": "none"}, "it is not signed, or could not be opened"),
        ({"verdict": "unknown-key"}, "it is signed by another key than yours"),
        ({"verdict": "bad", "reason": "x"}, "its signature is not good: x"),
        ({"verdict": "expired-key"}, "its signature is not good"),
        ({"verdict": "revoked-key"}, "its signature is not good"),
        ({"verdict": "expired-signature"}, "its signature is not good"),
        ({"verdict": "unsupported"}, "its signature is not good"),
        ({"fingerprint": False}, "it is signed by another key than yours"),
        ({"whole": False}, "the signature covers only a part of it"),
        ({"stale": True}, "it was signed more than 30 days before it came"),
        ({"before": 3}, "the same signed mail came before; it is not done again"),
    ],
)
def test_one_thing_that_is_wrong_is_enough(changed: dict[str, object], why: str) -> None:
    assert orders.refusal(replace(THEIRS, **changed)) == why  # type: ignore[arg-type]


FACTS = st.builds(
    Facts, alone=st.booleans(), given=st.booleans(), has_key=st.booleans(), sender=st.booleans(),
    verdict=st.sampled_from(["good", "bad", "none", "unknown-key", "expired-key", "something new"]),
    reason=st.sampled_from(["", "why"]), fingerprint=st.booleans(), whole=st.booleans(), stale=st.booleans(),
    before=st.none() | st.integers(1, 9),
)  # fmt: skip


@given(FACTS)
def test_nothing_less_than_all_is_theirs(mail: Facts) -> None:
    assert (orders.refusal(mail) == "") == (replace(mail, reason="") == THEIRS)


def arrived(order: Ordered) -> MailArrived:
    return MailArrived(
        since="mail:1", routed=Routed(), kind="order", standing=Standing.STRANGER, assurance=Assurance.UNSIGNED,
        counts=False, order=order,
    )  # fmt: skip


@pytest.mark.parametrize("analyst", [None, 4])
@pytest.mark.parametrize("refused", ["", "why"])
@pytest.mark.parametrize("robot", [False, True])
def test_where_it_lies_and_who_is_told(analyst: int | None, refused: str, robot: bool) -> None:
    order = Ordered(7, analyst, refused, robot=robot)
    [file, *more] = orders.filed(arrived(order), order)
    assert isinstance(file, File)
    works = analyst is not None and not refused
    assert (file.place, file.queue) == ((Place.FILED, None) if works else (Place.REVIEW, "review"))
    kept, told = works and not robot, analyst is not None and bool(refused) and not robot
    assert [type(one) for one in more] == [KeepOrder] * kept + [TellRefused] * told


# ---- how they are written --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "given", "rest"),
    [
        ("done", ["done"], ""),
        ("  DONE  \n", ["done"], ""),
        ("Assign  bob lane\nwait 2026-12-01", ["assign bob lane", "wait 2026-12-01"], ""),
        ("hold\nhold 12\nrelease 12", ["hold", "hold 12", "release 12"], ""),
        (f"approve {SHA.upper()}\n\nThank you.", [f"approve {SHA.upper()}"], "Thank you."),
        ("item 7\n\nDear all,\n\nyes.\n", ["item 7"], "Dear all,\n\nyes."),
        ("send\n\nassign this to nobody", ["send"], "assign this to nobody"),
        ("Thank you.\nWe will see.", [], "Thank you.\nWe will see."),
        ("Hello", [], "Hello"),
        ("Hallo zusammen,\n\nja.", [], "Hallo zusammen,\n\nja."),
        ("Send us the crash logs, please.", [], "Send us the crash logs, please."),
        ("Help us to reproduce this, please.", [], "Help us to reproduce this, please."),
        ("Items 3 and 4 of your list are fixed.", [], "Items 3 and 4 of your list are fixed."),
        ("None of these versions is affected.", [], "None of these versions is affected."),
    ],
)
def test_orders_first_and_text_after_a_blank_line(text: str, given: list[str], rest: str) -> None:
    written = orders.read(text)
    assert ([str(order) for order in written.orders], written.text, written.refused) == (given, rest, "")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "there are no words of your own"),
        ("  \n\n", "there are no words of your own"),
        ("dnoe", "nearly the order `done`"),
        ("done.", "nearly the order `done`"),
        ("Done, thanks", "nearly the order `done`"),
        ("d\u200bone", "nearly the order `done`"),
        ("d\u043ene", "nearly the order `done`"),
        ("doné", "nearly the order `done`"),
        ("> done", "nearly the order `done`"),
        ("asign bob", "nearly the order `assign`"),
        ("assignbob", "nearly the order `assign`"),
        ("assign", "`assign` wants an analyst's name"),
        ("aprove 1234", "nearly the order `approve`"),
        (f"approve {SHA[1:]}", "`approve` wants the whole SHA-256 of the text: 64 digits"),
        (f"approve {SHA}0", "`approve` wants the whole SHA-256 of the text: 64 digits"),
        ("approve the text that came in yesterday", "`approve` wants the whole"),
        ("wait until 2026-12-01 please, all of you", "`wait` wants a date, such as 2026-12-01; if it is text"),
        ("wait 1.12.2026", "`wait` wants a date"),
        ("hold twelve", "`hold` stands alone on its line, or with the number"),
        ("relaese 12", "nearly the order `release`"),
        ("halp", "nearly the order `help`"),
        ("itme 7", "nearly the order `item`"),
        ("approve b5c086", "`approve` wants the whole SHA-256"),
        ("item 7\napprove b5c086", "line 2: `approve` wants the whole SHA-256"),
        ("item 7\nwait tomorrow", "line 2: `wait` wants a date, such as 2026-12-01"),
        ("item 7\ndone thanks", "line 2: `done` stands alone on its line"),
        ("done\nitem seven", "line 2: `item` wants the number of an item"),
        ("done\nThank you.", "line 2 is no order"),
        ("done\nasign bob", "line 2 is no order"),
        ("done\n\nasign bob", "nearly the order `assign`"),
        ("done\n\nhold on, we look at it", "`hold` stands alone"),
        ("Thank you.\n\ndone", "the order `done` stands below other text"),
        ("item 7\n\nYes.\nassign bob", "the order `assign` stands below other text"),
        ("item 7\nitem 8", "names several items"),
        ("send", "nothing follows `send`"),
        ("send\n\n  \n", "nothing follows `send`"),
        ("help\n" * 21, "more than 20 orders"),
        ("x" * 100_001, "more than 100000 characters"),
        ("assign " + "x" * 300, "`assign` wants an analyst's name"),
    ],
)
def test_what_may_be_a_mistake_is_refused_as_a_whole(text: str, why: str) -> None:
    written = orders.read(text)
    assert why in written.refused
    assert (written.orders, written.text) == ((), "")


@pytest.mark.parametrize(
    ("text", "asks"), [("x y", True), ("hold\n\nx", True), ("done\n\nx", False), ("wait 2026-12-01\n\nx", False)]
)
def test_a_text_that_ends_the_matter_asks_nothing(text: str, asks: bool) -> None:
    assert orders.read(text).asks == asks


GOOD = st.sampled_from(["done", "assign bob", "wait 2026-12-01", "hold", "release 4", f"approve {SHA}", "help"])
PROSE = st.text(st.characters(exclude_categories=("Cs",)), max_size=300)


@given(st.lists(GOOD, min_size=1, max_size=5), PROSE)
def test_with_send_whatever_follows_is_text(lines: list[str], text: str) -> None:
    text = text.replace("\r", " ").strip()
    assume(text.strip("\n").strip())
    written = orders.read("\n".join([*lines, "send"]) + "\n\n" + text)
    assert [str(order) for order in written.orders] == [*lines, "send"]
    assert written.text == text


@given(PROSE)
def test_nothing_is_raised_and_nothing_lost_whatever_is_written(text: str) -> None:
    written = orders.read(text)
    assert isinstance(written, Written)
    assert written.refused or written.orders or written.text == text.strip()


@given(GOOD, st.data())
def test_an_order_with_one_slip_is_never_text(line: str, data: st.DataObject) -> None:
    """One letter of the word left out, doubled, swapped with its neighbour or another: a mistake, or another order."""
    word, _, argument = line.partition(" ")
    at = data.draw(st.integers(0, len(word) - 2))
    before, one, other, after = word[:at], word[at], word[at + 1], word[at + 2 :]
    slip = before + data.draw(st.sampled_from([other, one + one + other, other + one, "x" + other])) + after
    assert orders.read(f"{slip} {argument}".strip()).text == ""


@given(st.sampled_from([one.word for one in WORDS]), st.booleans())
def test_the_case_of_letters_does_not_matter(word: str, upper: bool) -> None:
    line = {"assign": "assign bob", "wait": "wait 2026-12-01", "approve": f"approve {SHA}", "item": "item 7",
            "send": "send\n\nx"}.get(word, word)  # fmt: skip
    shown = line.upper() if upper else line.title()
    assert orders.read(shown).orders[0].word == word


def test_help_lists_every_order_and_so_does_the_document() -> None:
    shown = [(f"{one.word} {one.argument}".strip(), one.meaning) for one in WORDS]
    assert orders.help_lines() == [f"{order}: {meaning}" for order, meaning in shown]
    document = (Path(__file__).parents[2] / "docs" / "handbook.md").read_text("utf-8")
    table = document.partition("| order | does |")[2].partition("\n\n")[0]
    assert re.findall(r"(?m)^\| `(.+)` \| (.+) \|$", table) == shown


# ---- which item they are about ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "named", "tie"),
    [
        (None, set(), Tie.SILENT), (None, {7}, Tie.THIS), (None, {7, 8}, Tie.SILENT), (None, {8}, Tie.OTHER),
        (7, set(), Tie.THIS), (7, {7, 8}, Tie.THIS), (7, {8}, Tie.THIS), (8, {7}, Tie.OTHER), (8, set(), Tie.OTHER),
    ],
)  # fmt: skip
def test_what_the_signed_words_say_of_the_item(said: int | None, named: set[int], tie: Tie) -> None:
    assert orders.tie(7, said, named) is tie
