"""How long the IMAP door waits before it tries a server again (testbook/faults.md R22)."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from mailrouter.intake.imap import PAUSE_MOST, PAUSE_REFUSED, pause


@pytest.mark.row("R22")
@pytest.mark.parametrize(
    ("failures", "refused", "least", "most"),
    [(1, False, 1, 2), (3, False, 4, 8), (9, False, 150, 300), (10_000, False, 150, 300), (1, True, 16, 32)],
)
def test_the_pauses(failures: int, refused: bool, least: float, most: float) -> None:
    assert pause(failures, refused=refused, chance=lambda: 0.0) == least
    assert pause(failures, refused=refused, chance=lambda: 1.0) == most


@pytest.mark.row("R22")
@given(some.integers(1, 10**6), some.booleans(), some.floats(0, 1))
def test_never_more_than_five_minutes(failures: int, refused: bool, chance: float) -> None:
    seconds = pause(failures, refused=refused, chance=lambda: chance)
    assert (PAUSE_REFUSED / 2 if refused else 1.0) <= seconds <= PAUSE_MOST
