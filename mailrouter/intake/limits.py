"""How much a door takes, from whom, and how fast: the numbers, and the counters that hold them.

Promises: every counter is bounded in memory whatever strangers send, and none asks the time: `now` is the seconds of a
monotonic clock (the event loop's), so that no leap of the wall clock opens or shuts a door.
"""

import ipaddress
from collections import Counter, deque
from dataclasses import dataclass

MINUTE = 60.0  # what rates are counted over, in seconds
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
    """Mails a minute, per sender and in all: in no sixty seconds more than that, wherever they begin.

    What is remembered is the mails that were admitted in the last minute, and nothing of those that were not: however
    many senders try, the rates themselves bound it, or, where there are none, what the door can store in a minute.
    """

    def __init__(self, per_sender: int, total: int) -> None:
        self._per_sender = per_sender
        self._total = total
        self._admitted: deque[tuple[float, str, bool]] = deque()  # when, of whom, whether it counts in the total
        self._by_sender: Counter[str] = Counter()
        self._of_strangers = 0

    def admit(self, sender: str, *, participant: bool, now: float) -> bool:
        """Count one mail in; False, and nothing counted, when a rate is reached. Rate 0 is no limit."""
        self._forget(now - MINUTE)
        key = sender.lower()
        rate = self._per_sender * (PARTICIPANT_FACTOR if participant else 1)
        if rate and self._by_sender[key] >= rate:
            return False
        if self._total and not participant and self._of_strangers >= self._total:
            return False
        if rate or self._total:
            self._admitted.append((now, key, not participant))
            self._by_sender[key] += 1
            self._of_strangers += not participant
        return True

    def _forget(self, until: float) -> None:
        while self._admitted and self._admitted[0][0] <= until:
            _, key, stranger = self._admitted.popleft()
            self._of_strangers -= stranger
            self._by_sender[key] -= 1
            if not self._by_sender[key]:
                del self._by_sender[key]


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
    """Bytes of mail held in memory between the wire and the commit, over all who share it: sessions, or mailboxes."""

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
