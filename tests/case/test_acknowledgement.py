"""Whom an acknowledgement goes to, row by row."""

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.case.acknowledgement import PER_HOUR, Facts, refusal

PLAIN = Facts("jo@finder.example", "jo@finder.example", machine=False, internal=False, readable=True, proved=None)


@pytest.mark.parametrize(
    "mail",
    [
        pytest.param(PLAIN, id="from and envelope are one"),
        pytest.param(replace(PLAIN, reverse_path="Jo@FINDER.example"), id="but for the case of letters"),
        pytest.param(replace(PLAIN, proved=True), id="and our mail server has proved it"),
    ],
)
def test_a_person_is_answered(mail: Facts) -> None:
    assert refusal(mail) == ""


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        pytest.param({"reverse_path": None}, "the reverse-path is not known", marks=pytest.mark.row("S22")),
        pytest.param({"reverse_path": ""}, "it came from the null sender", marks=pytest.mark.row("S21")),
        pytest.param({"reverse_path": "<>"}, "it came from the null sender", marks=pytest.mark.row("S21")),
        pytest.param({"machine": True}, "a machine wrote it", marks=pytest.mark.row("S21")),
        pytest.param({"readable": False}, "it is beyond a limit", marks=pytest.mark.row("S21")),
        pytest.param({"sender": ""}, "its From is malformed", marks=pytest.mark.row("S22")),
        pytest.param(
            {"reverse_path": "eve@evil.example"}, "the envelope names another sender", marks=pytest.mark.row("S22")
        ),
        pytest.param(
            {"reverse_path": "jo+x@finder.example"}, "the envelope names another sender", marks=pytest.mark.row("S22")
        ),
        pytest.param({"internal": True}, "it says it is from us", marks=pytest.mark.row("S25")),
        pytest.param({"internal": True, "proved": True}, "it says it is from us", marks=pytest.mark.row("S21")),
        pytest.param({"proved": False}, "our mail server did not find its sender proved", marks=pytest.mark.row("S22")),
    ],
)
def test_nobody_else_is(changed: dict[str, object], why: str) -> None:
    assert refusal(replace(PLAIN, **changed)) == why  # type: ignore[arg-type]


@pytest.mark.row("S22")
@given(st.builds(
    Facts, st.none() | st.sampled_from(["", "<>", "a@b.example", "A@B.example", "c@d.example"]),
    st.sampled_from(["", "a@b.example", "c@d.example"]), st.booleans(), st.booleans(), st.booleans(),
    st.none() | st.booleans(),
))  # fmt: skip
def test_whoever_is_answered_is_the_sender_the_envelope_and_the_mail_both_name(mail: Facts) -> None:
    if not refusal(mail):
        assert mail.reverse_path is not None
        assert mail.reverse_path.lower() == mail.sender != ""
        assert not mail.machine
        assert not mail.internal
        assert mail.readable
        assert mail.proved is not False


@pytest.mark.row("S23")
def test_nothing_of_a_case_is_among_what_decides() -> None:
    assert {one.name for one in fields(Facts)} == {
        "reverse_path", "sender", "machine", "internal", "readable", "proved",
    }  # fmt: skip


@pytest.mark.row("S21")
def test_twenty_an_hour() -> None:
    assert PER_HOUR == 20
