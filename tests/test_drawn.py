"""The pages that are drawn from code are as their code would have them."""

import pytest

from mailrouter.case import lifecycle
from tests import drawn


@pytest.mark.parametrize("name", drawn.PAGES)
def test_a_drawn_page_is_current(name):
    assert (drawn.DOCS / name).read_text("utf-8") == drawn.PAGES[name](), "run `make tables`"


def test_the_whole_of_both_tables_of_ssvc_is_drawn():
    rows = [line for line in drawn.ssvc_page().splitlines() if line.startswith("|")]
    assert len(rows) == 192 + 2 + 27 + 2
    assert [len({len(row) for row in some}) for some in (rows[:194], rows[194:])] == [1, 1]


def test_every_move_and_state_is_drawn():
    text = drawn.moves_page()
    for one in lifecycle.TABLES.values():
        assert all(f"| {state} " in text for state in lifecycle.states(one))
        assert all(f" {verb} " in text for verb in one)
