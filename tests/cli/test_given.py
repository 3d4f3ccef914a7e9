"""What a person types is checked before anything is done."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import pytest

from mailrouter import faults
from mailrouter.cli import given


def read(kind: click.ParamType, value: str) -> object:
    return kind.convert(value, None, None)


@pytest.mark.parametrize(
    ("value", "instant"),
    [
        ("2026-12-01", datetime(2026, 12, 1, tzinfo=UTC)),
        ("2028-02-29", datetime(2028, 2, 29, tzinfo=UTC)),
        ("2026-10-25T02:30+02:00", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        ("2026-10-25T02:30+01:00", datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),
        ("2026-12-01T09:30Z", datetime(2026, 12, 1, 9, 30, tzinfo=UTC)),
        ("2026-12-01T09:30+01:00", datetime(2026, 12, 1, 8, 30, tzinfo=UTC)),
        ("2026-12-01 09:30:15-05:00", datetime(2026, 12, 1, 14, 30, 15, tzinfo=UTC)),
    ],
)
def test_instants(value: str, instant: datetime) -> None:
    assert read(given.INSTANT, value) == instant


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        (given.INSTANT, "2026-12-01T09:30", "has no zone"),
        (given.INSTANT, "2026-02-30", "is no date"),
        (given.INSTANT, "2027-02-29", "is no date"),
        (given.INSTANT, "2026-10-25T02:30", "has no zone"),  # which of the two, where clocks change?
        (given.INSTANT, "9999-12-31", "lies outside the years 2000 to 2999"),
        (given.INSTANT, "9999-12-31T23:59-12:00", "is no date"),
        (given.INSTANT, "1999-12-31", "lies outside the years"),
        (given.INSTANT, "2999-12-31T23:59-01:00", "lies outside the years"),
        (given.INSTANT, "tomorrow", "is no date"),
        (given.INSTANT, "0001-01-01T00:00+14:00", "is no date"),
        (given.INSTANT, "", "is no date"),
        (given.VU, "VU#12", "a VU# is written"),
        (given.VU, "\uff11\uff12\uff13\uff14\uff15\uff16", "a VU# is written"),
        (given.VU, "", "a VU# is written"),
        (given.LINE, "", "one line of text"),
        (given.LINE, "x" * 301, "one line of text"),
        (given.LINE, "bell\x07", "one line of text"),
        (given.LINE, "lone\udcff", "one line of text"),
        (given.PROSE, " \n ", "a text is wanted"),
        (given.PROSE, "lone\udcff", "a text is wanted"),
        (given.PROSE, "esc\x1b[0m", "a text is wanted"),
        (given.DIGITS, "zz", "`mailrouter note show`"),
        (given.FINGERPRINT, "0123456789ABCDEF", "40 hexadecimal digits"),
        (given.DOMAIN, "", "is not a mail domain"),
        (given.DOMAIN, "acme.example.", "is not a mail domain"),
        (given.DOMAIN, "a b.example", "is not a mail domain"),
        (given.ADDRESS, "--option", "is not one mail address"),
    ],
)
def test_refused(kind: click.ParamType, value: str, said: str) -> None:
    with pytest.raises(click.BadParameter, match=said):
        read(kind, value)


@pytest.mark.parametrize(
    ("kind", "value", "taken"),
    [
        (given.VU, "VU#123456", 123456),
        (given.VU, "vu#123456", 123456),
        (given.VU, "123456", 123456),
        (given.LINE, "  two\n words ", "two words"),
        (given.PROSE, "\nline\r\nline\n", "line\nline"),
        (given.FINGERPRINT, "0x" + "ab" * 20, "AB" * 20),
        (given.DOMAIN, "ACME.example", "acme.example"),
        (given.ADDRESS, " PSIRT@Acme.Example", "psirt@acme.example"),
    ],
)
def test_taken(kind: click.ParamType, value: str, taken: object) -> None:
    assert read(kind, value) == taken


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "there is nothing in it"),
        (b" \r\n\t\n", "there is nothing in it"),
        (b"\xff\xfe", "is not UTF-8 text"),
        (b"x" * (1024 * 1024 + 1), "may have 1024 KiB"),
    ],
)
def test_a_text_that_is_none_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "text"
    path.write_bytes(content)
    with pytest.raises(faults.Refused, match=said):
        given.written(path)


def test_a_text_is_taken_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_bytes("\ufeffGrüße\n".encode())
    assert given.written(path) == "Grüße\n"


def test_attachments_know_what_they_are(tmp_path: Path) -> None:
    for name in ("poc.txt", "poc.tar.gz", "poc"):
        (tmp_path / name).write_bytes(b"x")
    kinds = [a.media_type for a in given.attached(sorted(tmp_path.iterdir()))]
    assert kinds == ["application/octet-stream", "application/octet-stream", "text/plain"]


def test_attachments_have_a_limit_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(given, "LARGEST_FILES", 3)
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(b"xx")
    with pytest.raises(faults.Refused, match="larger than 0 MiB together"):
        given.attached(sorted(tmp_path.iterdir()))


@pytest.mark.parametrize("kind", [given.LINE, given.PROSE])
@pytest.mark.parametrize("sign", ["\u202e", "\u2066", "\u2069"])
def test_what_reorders_text_is_refused(kind: Any, sign: str) -> None:
    with pytest.raises(ValueError, match="without control characters"):
        kind.read(f"a{sign}b")
