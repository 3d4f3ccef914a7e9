"""What participants are called towards each other."""

import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.case import pseudonym
from mailrouter.case.model import ROLES


@pytest.mark.parametrize(
    ("role", "word"),
    [("vendor", "Vendor"), ("downstream", "Vendor"), ("reporter", "Reporter"), ("coordinator", "Coordinator")],
)
def test_the_word_is_the_role_and_the_rest_is_chance(role: str, word: str) -> None:
    made = pseudonym.make(role, secrets.choice, ())
    assert pseudonym.PATTERN.fullmatch(made)
    assert made.startswith(f"{word} ")
    assert set(pseudonym.WORDS) == set(ROLES)


@pytest.mark.row("A02")
@given(st.integers(2, 60), st.data())
def test_neither_order_nor_number_of_participants_can_be_read_from_it(many: int, data: st.DataObject) -> None:
    """Every code is as likely for the first as for the last: nothing but the caller's choice and the others is used."""
    letters = data.draw(st.lists(st.sampled_from(pseudonym.LETTERS), min_size=4, max_size=4))
    script = iter(letters)
    taken = {f"Vendor {'B' * 3}{pseudonym.LETTERS[n % 20]}" for n in range(many)} - {f"Vendor {''.join(letters)}"}
    assert pseudonym.make("vendor", lambda _all: next(script), taken) == f"Vendor {''.join(letters)}"


def test_a_code_is_one_participants_whatever_the_word_before_it() -> None:
    script = iter("KTRVBXCF")
    assert pseudonym.make("reporter", lambda _all: next(script), {"Vendor KTRV"}) == "Reporter BXCF"


def test_no_letter_of_it_makes_a_word() -> None:
    assert not set(pseudonym.LETTERS) & set("AEIOU")
