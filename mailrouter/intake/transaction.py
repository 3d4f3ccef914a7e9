"""One mail transaction of RFC 5321 3.3, up to DATA: who sends, to whom, and whether there is room for it.

Rates are held against mails, so a mail is counted when its DATA is obeyed: a MAIL that nothing follows costs nobody.

Promises: opens no socket and says nothing itself; each step gives the reply to make, and takes effect only with a 250.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from mailrouter.faults import Refused
from mailrouter.intake import paths, replies
from mailrouter.intake.limits import InFlight, Limits, Rates
from mailrouter.mail.envelope import Envelope

PARAMETERS = frozenset({"SIZE", "BODY", "SMTPUTF8"})  # RFC 1870, 6152, 6531; nothing else is offered


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms a mail is taken. Sizes in bytes; `free`: the space left for mail; `is_participant`: of a sender."""

    max_size: int
    recipients: paths.Recipients
    rates: Rates
    in_flight: InFlight
    free: Callable[[], int]
    is_participant: Callable[[str], bool]
    limits: Limits


@dataclass(slots=True)
class Transaction:
    """What MAIL and RCPT have said so far. `sender` is None before MAIL and '' for the null sender."""

    terms: Terms
    sender: str | None = None
    utf8: bool = False
    recipients: list[str] = field(default_factory=list)

    def mail(self, argument: str) -> str:
        """RFC 5321 4.1.1.2: the reply to MAIL. Raises OSError if `free` does."""
        if self.sender is not None:
            return replies.OUT_OF_ORDER
        path = _path("FROM:", argument)
        if path is None:
            return replies.BAD_ADDRESS
        refusal = self._unfit(path) or self._no_room(path)
        if refusal is None:
            self.sender = path.mailbox
            self.utf8 = "SMTPUTF8" in path.parameters
        return refusal or replies.SENDER_OK

    def rcpt(self, argument: str) -> str:
        """RFC 5321 4.1.1.3: the reply to RCPT."""
        if self.sender is None:
            return replies.OUT_OF_ORDER
        path = _path("TO:", argument)
        if path is None or not path.mailbox or not (path.mailbox.isascii() or self.utf8):
            return replies.BAD_ADDRESS
        if path.parameters:
            return replies.UNKNOWN_PARAMETER
        if len(self.recipients) >= self.terms.limits.recipients:
            return replies.TOO_MANY_RECIPIENTS
        if not self.terms.recipients.has(path):
            return replies.NOBODY_HERE
        self.recipients.append(path.mailbox)
        return replies.RECIPIENT_OK

    def admit(self, now: float) -> str | None:
        """Count the mail that DATA begins; the reply when a rate is reached (S30). `now` is the monotonic clock's."""
        sender = self.sender or ""
        admitted = self.terms.rates.admit(sender, participant=self.terms.is_participant(sender), now=now)
        return None if admitted else replies.TOO_FAST

    def envelope(self, door: str, raw: bytes, received_at: datetime) -> Envelope:
        """The mail as the store gets it; a recipient named twice is one recipient."""
        return Envelope(door, self.sender or "", tuple(dict.fromkeys(self.recipients)), raw, received_at)

    def _unfit(self, path: paths.Path) -> str | None:
        """The reply against MAIL's parameters, if there is a reason for one."""
        given = path.parameters
        if given.keys() - PARAMETERS:
            return replies.UNKNOWN_PARAMETER
        size, body = given.get("SIZE", "0"), given.get("BODY", "7BIT").upper()
        if not _is_number(size) or body not in ("7BIT", "8BITMIME") or given.get("SMTPUTF8"):
            return replies.BAD_ARGUMENT
        if not path.mailbox.isascii() and "SMTPUTF8" not in given:
            return replies.BAD_ADDRESS
        return replies.TOO_BIG if int(size) > self.terms.max_size else None

    def _no_room(self, path: paths.Path) -> str | None:
        """The reply when the house lacks something for one more mail (testbook/faults.md R08)."""
        terms, size = self.terms, int(path.parameters.get("SIZE", "0"))
        if terms.free() < terms.max_size * 3 // 2 or not terms.in_flight.room(size):
            return replies.NO_ROOM
        return None


def _path(keyword: str, argument: str) -> paths.Path | None:
    if argument[: len(keyword)].upper() != keyword:
        return None
    try:
        return paths.parse(argument[len(keyword) :])
    except Refused:
        return None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 20
