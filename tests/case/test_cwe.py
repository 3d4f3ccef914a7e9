"""Official names of weaknesses."""

import pytest

from mailrouter.case import cwe


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ("CWE-79", "Improper Neutralization of Input During Web Page Generation ('Cross-site Scripting')"),
        ("CWE-787", "Out-of-bounds Write"),
        ("CWE-20", "Improper Input Validation"),
        ("CWE-1", ""),
        ("CWE-16", ""),
        ("79", ""),
        ("", ""),
    ],
)
def test_names(given, named):
    assert cwe.name(given) == named
