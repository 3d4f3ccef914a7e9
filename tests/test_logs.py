"""One line an event, whatever is in it; nothing of a mail in any of them (testbook S37)."""

import io
import json
import logging
import subprocess
import sys
import threading
import unicodedata
import warnings
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter import logs
from mailrouter.case import vuid

SECRET = "the subject of a mail"
HOSTILE = {
    "CRLF": "a\r\nevent: forged",
    "LF": 'a\n{"event": "forged"}',
    "NEL": "a\x85b",
    "ANSI": "\x1b[2J\x1b[31mred",
    "NUL": "a\0b",
    "DEL": "a\x7fb",
    "C1 CSI": "a\x9b31m",
    "bidi": "\u202egnp.exe\u2066",
    "line separator": "a\u2028b\u2029c",
    "lone surrogate": "a\udcffb",
    "zero width": "a\u200bb\ufeff",
    "tag characters": "a\U000e0041",
    "quotes": "a\" b='c' \\n",
}


class Log:
    """What was written since `configure`."""

    def __init__(self) -> None:
        self.stream = io.StringIO()

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    def lines(self) -> list[str]:
        return self.text.split("\n")[:-1]

    def events(self) -> list[dict]:
        return [json.loads(line) for line in self.lines()]


@pytest.fixture(autouse=True)
def _logging_as_it_was(monkeypatch):
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    monkeypatch.setattr(logging, "raiseExceptions", logging.raiseExceptions)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    logging.captureWarnings(False)
    root.handlers[:], root.level = handlers, level


def start(form: str, level: str = "info") -> Log:
    log = Log()
    logs.configure(form, level, "n1", log.stream)
    return log


def test_an_event_as_json():
    log = start("json")
    logs.event("mail.accepted", mail=17, vu="VU#123456")
    (told,) = log.events()
    assert list(told) == ["ts", "level", "event", "node", "mail", "vu"]
    assert told | {"ts": ""} == {
        "ts": "", "level": "info", "event": "mail.accepted", "node": "n1", "mail": 17, "vu": "VU#123456",
    }  # fmt: skip
    assert datetime.fromisoformat(told["ts"]).tzinfo == UTC


def test_an_event_for_people():
    log = start("text")
    logs.warn("outbox.paused", letters=3, by="unix:ann", why="", where=Path("a b"), ids=[1, 2])
    assert log.lines()[0][8:] == ' warning outbox.paused letters=3 by=unix:ann why="" where="a b" ids=[1,2]'


@pytest.mark.row("S37")
@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("form", ["json", "text"])
def test_hostile_values_stay_one_line(form, value):
    log = start(form)
    logs.event("seen", value=value, values=[value, "end"])
    assert len(log.text.splitlines()) == 1  # splitlines knows NEL, U+2028, VT, FF too
    assert all(character.isprintable() for character in log.text.rstrip("\n"))
    if form == "json":
        assert log.events()[0]["value"] == value


@pytest.mark.row("S37")
@given(st.text(), st.sampled_from(["json", "text"]))
def test_any_value_stays_one_line(value, form):
    log = start(form)
    logs.event("seen", value=value)
    assert len(log.text.splitlines()) == 1
    assert not {unicodedata.category(character) for character in log.text.rstrip("\n")} & {"Cc", "Cf", "Zl", "Zp", "Cs"}


def test_a_field_is_cut():
    log = start("json")
    logs.event("seen", value="x" * 10_000)
    assert len(log.events()[0]["value"]) == logs.CHARACTERS + 3


class Colour(StrEnum):
    RED = "red"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (datetime(2026, 3, 2, 9, tzinfo=UTC), "2026-03-02T09:00:00+00:00"),
        (Colour.RED, "red"),
        (Path("/a"), "/a"),
        (("a", 1), ["a", 1]),
        (b"a mail", "<bytes>"),
        ({"Subject": SECRET}, "<dict>"),
        (vuid.VuId(123456), "<VuId>"),
        (None, None),
        (True, True),
    ],
)
def test_only_plain_values_are_written(value, written):
    log = start("json")
    logs.event("seen", value=value)
    assert log.events()[0]["value"] == written


@pytest.mark.parametrize("name", ["", "Mail accepted", "mail\naccepted", "1", f"mail.{SECRET}", "x" * 100])
def test_a_name_is_static(name):
    with pytest.raises(ValueError, match="static"):
        logs.event(name)


@pytest.mark.parametrize("field", sorted(logs.RESERVED))
def test_a_field_hides_nothing(field):
    with pytest.raises(ValueError, match="names of their own"):
        logs.event("seen", **{field: 1})


def test_levels():
    log = start("json", "warning")
    logs.debug("a")
    logs.event("b")
    logs.warn("c")
    logs.failed("d", ValueError())
    assert [told["event"] for told in log.events()] == ["c", "d"]


def fail_with_a_cause() -> Exception:
    try:
        try:
            vuid.parse_argument(SECRET)
        except Exception as first:
            raise OSError(28, SECRET, SECRET) from first
    except OSError as second:
        return second


@pytest.mark.row("S37")
@pytest.mark.parametrize("form", ["json", "text"])
def test_an_exception_without_its_text(form):
    log = start(form)
    logs.failed("store.failed", fail_with_a_cause(), mail=17)
    assert SECRET not in log.text
    assert "ENOSPC" in log.text


def test_an_exception_by_class_cause_and_our_own_lines():
    log = start("json")
    try:
        logs.event("Not a name")
    except ValueError as trouble:
        logs.failed("went.wrong", trouble)
    logs.failed("store.failed", fail_with_a_cause())
    wrong, store = log.events()
    assert wrong["error"] == "ValueError"
    assert [frame.partition(":")[0] for frame in wrong["frames"]] == ["logs.py", "logs.py"]
    assert store["error"] == "OSError"
    assert store["because"] == ["mailrouter.faults.Refused"]
    assert store["frames"] == []


def test_causes_in_a_circle_end():
    first, second = ValueError(), ValueError()
    first.__context__, second.__context__ = second, first
    assert logs.described(first)["because"] == ["ValueError"]


@pytest.mark.row("S37")
@pytest.mark.parametrize("name", [*logs.LIBRARIES, "sqlalchemy.engine.Engine", "somebody.else"])
@pytest.mark.parametrize("form", ["json", "text"])
def test_a_library_is_reduced_to_who_and_where(form, name, monkeypatch):
    log = start(form, "debug")
    library = logging.getLogger(name)
    monkeypatch.setattr(library, "disabled", False)  # the doors shut aiosmtpd's up altogether
    monkeypatch.setattr(library, "propagate", True)
    library.debug(SECRET)
    library.info(SECRET)
    assert log.text == ""
    library.warning("%s", SECRET, extra={"subject": SECRET})
    try:
        raise KeyError(SECRET)
    except KeyError:
        library.exception(SECRET)
    assert len(log.lines()) == 2
    assert SECRET not in log.text
    assert name in log.text
    assert "KeyError" in log.lines()[1]


def test_a_warning_is_reduced_too():
    log = start("json")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn(SECRET, stacklevel=1)
    assert [told["logger"] for told in log.events()] == ["py.warnings"]
    assert SECRET not in log.text


UNCAUGHT = """
import threading
from mailrouter import logs
logs.configure("json", "info", "n1")
def die(): raise ValueError("the subject of a mail")
thread = threading.Thread(target=die); thread.start(); thread.join()
die()
"""


@pytest.mark.row("S37")
def test_what_nobody_caught_is_an_event():
    done = subprocess.run([sys.executable, "-c", UNCAUGHT], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    told = [json.loads(line) for line in done.stderr.splitlines()]
    assert [(one["event"], one["error"]) for one in told] == [("uncaught", "ValueError")] * 2
    assert SECRET not in done.stderr


def test_a_closed_stderr_stops_nobody():
    log = start("json")
    log.stream.close()
    logs.event("seen")
