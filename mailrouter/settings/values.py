"""From a raw value (TOML's, or a string of the environment) to a checked one.

A `Reader` either gives the value the program works with or raises: ValueError and TypeError mean "not of this kind" and
are answered with `allowed`; `Unfit` carries its own sentence. No text made here repeats the value itself: the caller
shows it, and hides what is secret.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import time
from ipaddress import IPv6Address
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

SIZE = re.compile(r"([0-9]+) ?(B|KiB|MiB|GiB)?")
UNITS = {None: 1, "B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
ADDRESS = re.compile(r"""[^\s@<>()\[\],;:\\"\x00-\x1f\x7f]{1,64}@(?!-)[\w-]{1,63}(\.(?!-)[\w-]{1,63})*""")
HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?")
MOST_SCORE = 10.0  # CVSS
RELAY_SCHEMES = ("smtp", "smtps", "smtp+starttls")


class Unfit(ValueError):
    """A value of the right kind that cannot be taken; the text says why, and does not repeat it."""


@dataclass(frozen=True, slots=True)
class Reader:
    """How one setting is read. `allowed` ends the sentence "give ..."; `secret` values are shown without passwords."""

    allowed: str
    parse: Callable[[Any], Any]
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Listen:
    """Where a door listens: a host and port, or a Unix socket's path; false when the door is off."""

    host: str = ""
    port: int = 0
    path: Path | None = None

    def __bool__(self) -> bool:
        return bool(self.host or self.path)

    def __str__(self) -> str:
        if self.path:
            return f"unix:{self.path}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}" if self.host else ""


def hide(url: str) -> str:
    """The URL with its passwords replaced by ***; of a malformed one rather too much is hidden than too little."""
    shown = re.sub(r"(?i)([?&][^=&]*pass[^=&]*=)[^&]*", r"\1***", url)
    found = re.fullmatch(r"(?s)([\w.+-]+://)(.*)", shown)
    if not found:
        return f"***@{shown.rpartition('@')[2]}" if "@" in shown else shown
    scheme, rest = found.groups()
    login, at, host = rest.rpartition("@")
    if at:
        user, colon, _ = login.partition(":")
        return f"{scheme}{user}:***@{host}" if colon else shown
    name, colon, port = rest.partition(":")
    harmless = not colon or "/" in name or name.startswith("[") or re.match(r"[0-9]{1,5}(?:[/?]|$)", port)
    return shown if harmless else f"{scheme}{name}:***"


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _line(value: object) -> str:
    text = _text(value).strip()
    if not text.isprintable():
        raise ValueError
    return text


def _whole(least: int, most: int) -> Callable[[object], int]:
    def parse(value: object) -> int:
        if isinstance(value, str) and re.fullmatch(r"[0-9]{1,12}", value):
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise ValueError
        return value

    return parse


def whole(least: int, most: int) -> Reader:
    """A whole number within bounds, given as a number or as its digits."""
    return Reader(f"a whole number from {least} to {most}", _whole(least, most))


def _score(value: object) -> float:
    if isinstance(value, bool) or not re.fullmatch(r"(?:[0-9]|10)(?:\.[0-9])?", str(value)):
        raise ValueError
    return score if (score := float(str(value))) <= MOST_SCORE else _fail()


def _size(least: int, most: int) -> Callable[[object], int]:
    def parse(value: object) -> int:
        found = SIZE.fullmatch(str(value)) if isinstance(value, str) else None
        octets = int(found[1]) * UNITS[found[2]] if found else value
        return _whole(least, most)(octets)

    return parse


def _fail() -> Any:
    raise ValueError


def _password(value: object) -> str:
    text = _text(value)
    return text if text and not re.search(r"[\x00-\x1f\x7f]", text) else _fail()


def _yes_or_no(value: object) -> bool:
    if isinstance(value, bool):
        return value
    return _text(value) == "true" if value in ("true", "false") else _fail()


def _time(value: object) -> time:
    if isinstance(value, time):
        return value if not (value.second or value.microsecond) else _fail()
    found = re.fullmatch(r"([0-9]{2}):([0-9]{2})", _text(value))
    return time(int(found[1]), int(found[2])) if found else _fail()


def _address(value: object) -> str:
    return _text(value) if ADDRESS.fullmatch(_text(value)) else _fail()


def _addresses(value: object) -> tuple[str, ...]:
    items = [item.strip() for item in value.split(",")] if isinstance(value, str) else value
    if not isinstance(items, list):
        raise TypeError
    return tuple(_address(item) for item in items if item != "")


def _optional(parse: Callable[[Any], Any], empty: object) -> Callable[[Any], Any]:
    return lambda value: empty if value == "" else parse(value)


def _fingerprint(value: object) -> str:
    bare = _text(value).replace(" ", "").upper()
    return bare if re.fullmatch(r"[0-9A-F]{40}", bare) else _fail()


def _keys(value: object) -> tuple[str, ...]:
    """Fingerprints, or files that can be read: both as text."""
    given = value.split(",") if isinstance(value, str) else value
    if not isinstance(given, list):
        raise TypeError
    return tuple(_key(one) for one in given if one != "")


def _key(value: object) -> str:
    text = _text(value).strip()
    bare = text.replace(" ", "").upper()
    return bare if re.fullmatch(r"[0-9A-F]{40}", bare) else str(_file(text))


def _private_file(value: object) -> Path:
    """A file nobody else may read."""
    path = _file(value)
    if path.stat().st_mode & 0o077:
        raise Unfit("others may read it; chmod 600")
    return path


def _node(value: object) -> str:
    return _text(value) if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", _text(value)) else _fail()


def _host(value: object) -> str:
    host = _text(value)
    if ":" in host:
        return str(IPv6Address(host))
    return host if HOST.fullmatch(host) else _fail()


def _listen(value: object) -> Listen:
    spec = _text(value)
    if spec.startswith("unix:"):
        return Listen(path=_path(spec.removeprefix("unix:")))
    found = re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+)\]|([^:\[\]]+)):([0-9]{1,5})", spec)
    if not found or int(found[3]) > 65535:
        raise ValueError
    return Listen(_host(found[1] or found[2]), int(found[3]))


def _path(value: object) -> Path:
    text = _text(value)
    return Path(text) if text and "\0" not in text else _fail()


def _file(value: object) -> Path:
    path = _path(value)
    try:
        with path.open("rb") as file:
            file.read(1)
    except OSError as error:
        raise Unfit(f"it cannot be read ({error.strerror})") from None
    return path.absolute()


def _content(value: object) -> str:
    try:
        return _path(value).read_text("utf-8").rstrip("\r\n")
    except OSError as error:
        raise Unfit(f"it cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise Unfit("it is not UTF-8") from None


def _folder(value: object) -> Path:
    path = _path(value)
    if not path.is_dir():
        raise Unfit("there is no such folder")
    return path.absolute()


def _split(value: object) -> SplitResult:
    url = _line(value)
    if url != value or " " in url:
        raise ValueError
    parts = urlsplit(url)
    if parts.port == 0:  # asking for the port refuses one that is no number (ValueError)
        raise ValueError
    return parts


def _web_url(value: object) -> str:
    parts = _split(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        raise ValueError
    return _text(value)


def _database_url(value: object) -> str:
    url = _line(value)
    if re.fullmatch(r"sqlite:///(?!:memory:)[^?#]+", url):
        return url
    parts = _split(value)
    if parts.scheme != "postgresql+psycopg" or len(parts.path) < 2:
        raise ValueError
    return url


def _relay_url(value: object) -> str:
    url = _line(value)
    if url.startswith("maildir:"):
        return url if not url.startswith("maildir://") and url != "maildir:" else _fail()
    parts = _split(value)
    if parts.scheme not in RELAY_SCHEMES or not parts.hostname or parts.path not in ("", "/") or parts.query:
        raise ValueError
    if parts.scheme == "smtp" and parts.username is not None:
        raise Unfit("a password is not sent in clear; use smtps:// or smtp+starttls://")
    if (parts.username is None) != (parts.password is None):
        raise Unfit("give both user and password, or neither")
    return url


def one_of(*words: str) -> Reader:
    """One of these words, exactly."""
    return Reader(f"one of {', '.join(words)}", lambda value: value if value in words else _fail())


PASSWORD = Reader("a password (or password_file, the file that holds it)", _password, secret=True)
API_KEY = Reader("an API key (or api_key_file, the file that holds it)", _password, secret=True)
AUTHSERV_ID = Reader("the name our border puts in Authentication-Results, such as mx.example.org", _optional(_host, ""))
YES_OR_NO = Reader("true or false", _yes_or_no)
SEPARATOR = Reader('"+", "-", "=", or "" for no such addresses', one_of("+", "-", "=", "").parse)
SCORE = Reader("a CVSS score from 0 to 10 with one decimal, such as 4.0, or 0 for none", _score)
TIME = Reader('a time of day as "HH:MM" (UTC)', _time)
SIZE_OF_A_MAIL = Reader('a size from 1 KiB to 1 GiB, such as "25 MiB" or 26214400', _size(2**10, 2**30))
LINE = Reader("text on one line, without control characters", _line)
ADDRESS_OF_OURS = Reader("one mail address, such as cert@example.org", _address)
NO_OR_ADDRESS = Reader('one mail address, or "" for none', _optional(_address, ""))
ADDRESSES = Reader("a list of mail addresses (in the environment: separated by commas)", _addresses)
FINGERPRINT = Reader("a primary key's fingerprint, 40 hexadecimal digits", _optional(_fingerprint, ""))
KEYS = Reader("a list of fingerprints, 40 hexadecimal digits each, or files with a public key", _keys)
PRIVATE_FILE = Reader("a file that only we can read", _optional(_private_file, None))
NODE = Reader("up to 64 letters, digits, dots, hyphens and underscores", _node)
HOST_NAME = Reader("a host's name or address", _host)
LISTEN = Reader('HOST:PORT, [IPV6]:PORT, unix:PATH, or "" for off', _optional(_listen, Listen()))
PATH = Reader("a path", _path)
NO_OR_PATH = Reader('a path, or "" for the default', _optional(_path, None))
FILE = Reader("a file that can be read", _optional(_file, None))
CONTENT = Reader("a path", _content)
FOLDER = Reader("a folder that exists", _optional(_folder, None))
WEB_URL = Reader("an http:// or https:// address without a password", _optional(_web_url, ""))
DATABASE_URL = Reader("sqlite:///PATH or postgresql+psycopg://USER:PASSWORD@HOST/NAME", _database_url, secret=True)
RELAY_URL = Reader(
    "maildir:FOLDER, smtp://HOST:PORT, smtps://USER:PASSWORD@HOST:PORT or smtp+starttls://USER:PASSWORD@HOST:PORT",
    _relay_url,
    secret=True,
)
