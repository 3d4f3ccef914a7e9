"""Black-box journeys: the program as people and their mail programs meet it."""

import pytest

pytest.register_assert_rewrite("tests.journey.play", "tests.journey.publication")
