"""Hand one frozen message to whoever carries it on: the smarthost, or a local maildir. Say whether to try again.

What this package promises: the bytes go out exactly as they were frozen, one recipient a handover, one mail on the
other side whatever the body holds; every wait is bounded; and whatever the other side does comes back as an `Outcome`,
never as an exception, never with a word the other side said (it may hold addresses).
"""

import re
from datetime import timedelta
from pathlib import Path
from typing import Protocol
from urllib.parse import SplitResult, unquote, urlsplit

from mailrouter.faults import Refused
from mailrouter.relay.maildir import Maildir
from mailrouter.relay.outcome import Outcome, State
from mailrouter.relay.smarthost import Limits, Server, Smarthost

__all__ = [
    "FIVE_DAYS", "Limits", "Maildir", "Outcome", "Relay", "Server", "Smarthost", "State", "backoff", "make",
]  # fmt: skip

FIVE_DAYS = timedelta(days=5)  # RFC 5321 section 4.5.4.1: at least 4-5 days, then visibly failed
_FIRST, _LONGEST = timedelta(minutes=1), timedelta(hours=1)


def backoff(attempt: int, jitter: float) -> timedelta:
    """How long to wait after the `attempt`-th failed try (1 is the first): doubling, from one minute to one hour.

    `jitter` (0 ... 1, from the caller) picks the point between this step and the next, so that ten thousand letters
    that failed together do not come back together. Raises ValueError outside these ranges.
    """
    if attempt < 1 or not 0 <= jitter <= 1:
        raise ValueError("attempt counts from 1, jitter from 0 to 1")
    doublings: int = 2 ** min(attempt, 10)
    high = min(_LONGEST, _FIRST * doublings)
    low = max(_FIRST, high / 2)
    return low + jitter * (high - low)


class Relay(Protocol):
    """Takes one message for one recipient."""

    @property
    def nobody_receives(self) -> bool:
        """True when what is handed over only lies in a folder here."""

    def send(self, raw: bytes, sender: str, recipient: str) -> Outcome:
        """Hand over `raw` (complete, CRLF line ends) from the reverse-path `sender` ('': null sender)."""

    def probe(self) -> str:
        """'' when letters can be handed over; otherwise the reason, for `doctor`."""


_SCHEMES = {"smtp": ("none", 25), "smtps": ("implicit", 465), "smtp+starttls": ("starttls", 587)}
_TAKEN = "maildir:PATH, smtp://host:25, smtps://user:password@host or smtp+starttls://user:password@host"


def make(url: str, data_dir: Path, helo: str = "", limits: Limits | None = None) -> Relay:
    """The relay that `relay.url` names; a relative maildir lies under `data_dir`. Opens nothing.

    Raises Refused, naming the setting but never the password, for anything else than CONTRACT.md allows.
    """
    if url.startswith("maildir:"):
        path = url.removeprefix("maildir:")
        if not path or path.startswith("//"):
            raise Refused(f"relay.url: no folder in {url!r}; allowed: {_TAKEN}")
        return Maildir(data_dir / path)
    return Smarthost(_server(url, helo), limits or Limits())


def _server(url: str, helo: str) -> Server:
    try:
        parts = urlsplit(url)
        tls, port = _SCHEMES[parts.scheme]
        server = Server(
            _host(parts), parts.port or port, tls, unquote(parts.username or ""), unquote(parts.password or ""), helo
        )
    except (ValueError, KeyError):
        raise Refused(f"relay.url is not understood; allowed: {_TAKEN}") from None
    if parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise Refused(f"relay.url: nothing may follow the host; allowed: {_TAKEN}")
    if bool(server.user) != bool(server.password):
        raise Refused("relay.url: user and password belong together")
    if not (server.user + server.password).isascii():
        raise Refused("relay.url: user and password must be ASCII")
    if server.user and server.tls == "none":
        raise Refused("relay.url: smtp:// would send the password in clear; use smtps:// or smtp+starttls://")
    return server


def _host(parts: SplitResult) -> str:
    """The host as DNS and certificates know it. Raises ValueError (also UnicodeError) where there is none."""
    host = (parts.hostname or "").encode("idna").decode("ascii")
    if not host or host.startswith(".") or re.search(r"[\s\x00-\x1f]", host):
        raise ValueError("no host")
    return host
