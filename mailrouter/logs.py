"""Events on stderr, one line each: a static name, and identifiers as fields.

Promises: an event is one line whatever its fields hold (testbook S37); nothing a mail or a library wrote gets in.
Fields are ids, counts, times and our own words, never a subject, a body, an address or a key. Exceptions are told by
their class and by the lines of our own code they came through, never by their text. Libraries are heard from WARNING
on, and of what they say only who said it, where, and the class of an exception: their messages may quote a mail.
"""

import errno
import json
import logging
import re
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime
from enum import Enum
from pathlib import Path, PurePath
from traceback import walk_tb
from types import TracebackType
from typing import TextIO

LIBRARIES = (
    "aioimaplib", "aiosmtpd", "mail.log", "sqlalchemy", "alembic", "apscheduler", "asyncio", "gnupg", "py.warnings",
)  # fmt: skip
LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
RESERVED = frozenset({"ts", "level", "event", "node"})
NAME = re.compile(r"[a-z][a-z0-9._-]{0,60}")
CHARACTERS = 200  # of one field
HERE = Path(__file__).parent
OURS = logging.getLogger("mailrouter")


def event(name: str, /, **fields: object) -> None:
    """Something happened, as it should."""
    _log(logging.INFO, name, fields)


def debug(name: str, /, **fields: object) -> None:
    """A detail for whoever looks for a fault."""
    _log(logging.DEBUG, name, fields)


def warn(name: str, /, **fields: object) -> None:
    """Something an operator should look at."""
    _log(logging.WARNING, name, fields)


def failed(name: str, trouble: BaseException, /, **fields: object) -> None:
    """Something went wrong: `trouble` is told by its class and our own lines, never by its text."""
    _log(logging.ERROR, name, fields | described(trouble))


def described(trouble: BaseException) -> dict[str, object]:
    """What may be said of an exception: `error`, `errno` for the system's errors, `because` (causes), `frames`."""
    told: dict[str, object] = {"error": _class_name(trouble)}
    if isinstance(trouble, OSError) and trouble.errno is not None:
        told["errno"] = errno.errorcode.get(trouble.errno, trouble.errno)
    if causes := [_class_name(cause) for cause in _causes(trouble)]:
        told["because"] = causes
    return told | {"frames": list(_frames(trouble.__traceback__))}


def _class_name(trouble: BaseException) -> str:
    kind = type(trouble)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _causes(trouble: BaseException) -> Iterator[BaseException]:
    seen = {id(trouble)}
    cause = trouble.__cause__ or trouble.__context__
    while cause is not None and id(cause) not in seen:
        yield cause
        seen.add(id(cause))
        cause = cause.__cause__ or cause.__context__


def _frames(trace: TracebackType | None) -> Iterator[str]:
    for frame, line in walk_tb(trace):
        path = PurePath(frame.f_code.co_filename)
        if path.is_relative_to(HERE):
            yield f"{path.relative_to(HERE)}:{line}"


def _log(level: int, name: str, fields: dict[str, object]) -> None:
    if not NAME.fullmatch(name) or RESERVED & fields.keys():
        raise ValueError("an event's name is static, and its fields have names of their own")
    if OURS.isEnabledFor(level):
        OURS.log(level, "%s", name, extra={"mailrouter": {"event": name, **fields}}, stacklevel=3)


def _plain(value: object) -> object:
    """A value that may be written: of a known kind and short. Of anything else only its kind is told."""
    match value:
        case Enum():
            return _plain(value.value)
        case str():
            return value if len(value) <= CHARACTERS else f"{value[:CHARACTERS]}..."
        case bool() | int() | float() | None:
            return value
        case date():
            return value.isoformat()
        case PurePath():
            return _plain(str(value))
        case list() | tuple() | set() | frozenset():
            return [_plain(item) for item in value]
        case _:
            return f"<{type(value).__name__}>"


def _told(record: logging.LogRecord) -> dict[str, object]:
    """Our own event; or what may be said of a library's."""
    own = getattr(record, "mailrouter", None)
    if isinstance(own, dict):
        return own
    trouble = record.exc_info[1] if record.exc_info else None
    where = {"event": "library", "logger": record.name, "at": f"{record.module}:{record.lineno}"}
    return where | (described(trouble) if trouble else {})


def _stamp(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Json(logging.Formatter):
    """One JSON object a line: ts (UTC), level, event, node, then the fields. Nothing but printable ASCII."""

    def __init__(self, node: str) -> None:
        super().__init__()
        self._node = node

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        told = {key: _plain(value) for key, value in _told(record).items()}
        head = {"ts": _stamp(record), "level": record.levelname.lower(), "event": told.pop("event"), "node": self._node}
        return json.dumps(head | told).replace("\x7f", "\\u007f")


class Text(logging.Formatter):
    """For a terminal: `12:30:01 info mail.accepted mail=17`; what cannot be printed is escaped."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        told = {key: _plain(value) for key, value in _told(record).items()}
        head = f"{_stamp(record)[11:19]} {record.levelname.lower()} {told.pop('event')}"
        return " ".join([head, *(f"{key}={_word(value)}" for key, value in told.items())])


def _word(value: object) -> str:
    if isinstance(value, list):
        return f"[{','.join(_word(item) for item in value)}]"
    text = str(value)
    if not text or set(text) & set(' "=[],\\'):
        return json.dumps(text).replace("\x7f", "\\u007f")
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)


def configure(form: str, level: str, node: str, stream: TextIO | None = None) -> None:
    """Set logging up for this process: `form` is text or json, `level` as in the settings. May be called again.

    Exceptions that nobody caught, in any thread, become the event `uncaught` instead of a traceback with its text.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(Json(node) if form == "json" else Text())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.raiseExceptions = False  # a full or closed stderr must not print the event's parts elsewhere
    logging.captureWarnings(capture=True)
    for name in LIBRARIES:
        logging.getLogger(name).setLevel(logging.WARNING)
    OURS.setLevel(LEVELS[level])
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread


def _uncaught(kind: type[BaseException], trouble: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, trouble, trace)
    else:
        failed("uncaught", trouble)


def _uncaught_in_thread(found: threading.ExceptHookArgs) -> None:
    if found.exc_value is not None and not isinstance(found.exc_value, SystemExit):
        failed("uncaught", found.exc_value)
