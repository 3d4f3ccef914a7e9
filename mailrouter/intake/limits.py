"""How much a door takes, from whom, and how fast: the numbers, and the counters that hold them.

Promises: every counter is bounded in memory whatever strangers send, and none asks the time: `now` is the seconds of a
monotonic clock (the event loop's), so that no leap of the wall clock opens or shuts a door.
"""

import ipaddress
from collections import Counter
from dataclasses import dataclass

BURST_SECONDS = 60.0  # a rate's bucket holds one minute's worth
PARTICIPANT_FACTOR = 10  # a participant's address has ten times the sender's rate (CONTRACT.md)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one session may do (testbook/mail.md, "Limits"). Lengths in bytes, times in seconds."""

    command: int = 560  # RFC 5321 4.5.3.1.4, and what SIZE, BODY and SMTPUTF8 add to MAIL
    command_seconds: float = 60.0  # from one whole command to the next, however its bytes trickle in
    recipients: int = 50
    line: int = 100 * 1024  # of a mail; longer is refused
    data_seconds: float = 600.0
    data_rate: int = 500  # bytes per second, after the first `command_seconds`
    commit_seconds: float = 300.0  # a store that takes longer than this loses the client, never the mail
    errors: int = 10  # 5xx replies without an accepted mail between them
    idle_commands: int = 200  # commands without an accepted mail between them
    mails: int = 1000  # in one session


class Rates:
    """Mails a minute, per sender and in all: one token bucket each, kept as the time it will be full again (GCRA).

    A bucket that is full again says nothing more and is forgotten, so strangers cannot make the table grow for ever.
    """

    def __init__(self, per_sender: int, total: int) -> None:
        self._per_sender = per_sender
        self._total = total
        self._full_at: dict[str, float] = {}
        self._total_full_at = 0.0
        self._sweep_at = 1024

    def admit(self, sender: str, *, participant: bool, now: float) -> bool:
        """Take one mail from the buckets; False, and nothing taken, when one of them is empty. Rate 0 is no limit."""
        key = sender.lower()
        rate = self._per_sender * (PARTICIPANT_FACTOR if participant else 1)
        total = 0 if participant else self._total
        mine = _taken(self._full_at.get(key, 0.0), rate, now)
        all_ = _taken(self._total_full_at, total, now)
        if mine is None or all_ is None:
            return False
        if rate:
            self._remember(key, mine, now)
        if total:
            self._total_full_at = all_
        return True

    def _remember(self, key: str, full_at: float, now: float) -> None:
        self._full_at[key] = full_at
        if len(self._full_at) >= self._sweep_at:
            self._full_at = {k: t for k, t in self._full_at.items() if t > now}
            self._sweep_at = max(1024, 2 * len(self._full_at))


def _taken(full_at: float, per_minute: int, now: float) -> float | None:
    """When the bucket will be full again if one token is taken now; None if there is none."""
    if not per_minute:
        return full_at
    after = max(full_at, now) + BURST_SECONDS / per_minute
    return after if after - now <= BURST_SECONDS + 1e-9 else None


class Connections:
    """Who is connected: in all, and per client. Loopback and Unix sockets count in all, but are no one client."""

    def __init__(self, most: int, most_per_client: int) -> None:
        self._most = most
        self._most_per_client = most_per_client
        self._open = 0
        self._by_client: Counter[str] = Counter()

    def admit(self, client: str) -> bool:
        """Count one connection in; False, and nothing counted, when there are too many. `client` is `client_of`'s."""
        if self._open >= self._most or (client and self._by_client[client] >= self._most_per_client):
            return False
        self._open += 1
        if client:
            self._by_client[client] += 1
        return True

    def release(self, client: str) -> None:
        """Count out one connection that was admitted."""
        self._open -= 1
        if client:
            self._by_client[client] -= 1
            if not self._by_client[client]:
                del self._by_client[client]


def client_of(peer: object) -> str:
    """The client a peer name belongs to: an IPv4 address, an IPv6 /64; '' for loopback and Unix sockets."""
    if not isinstance(peer, tuple):
        return ""
    address = ipaddress.ip_address(str(peer[0]).partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is None:
            return "" if address.is_loopback else str(ipaddress.IPv6Network((address, 64), strict=False))
        address = address.ipv4_mapped
    return "" if address.is_loopback else str(address)


class InFlight:
    """Bytes of mail held in memory between the wire and the commit, over all sessions."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held = 0

    def room(self, octets: int = 0) -> bool:
        """Whether this much more would fit."""
        return self._held + octets <= self._most

    def take(self, octets: int) -> bool:
        """Hold this much more; False, and nothing held, when it does not fit."""
        if not self.room(octets):
            return False
        self._held += octets
        return True

    def give(self, octets: int) -> None:
        """Let go of what was taken."""
        self._held -= octets
