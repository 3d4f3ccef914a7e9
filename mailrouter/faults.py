"""The few exceptions this project raises on purpose.

Each says one sentence a person can act on. None ever carries a subject, a body, an address from a mail, or key
material.
"""


class Fault(Exception):
    """Something a person must be told in one line."""

    exit_status = 2


class Refused(Fault):
    """Wrong use: an option, a file, a key or a setting we cannot take."""


class NotFound(Fault):
    """The honest answer is no: there is no such case, vendor, message or item."""

    exit_status = 1


class Illegal(Fault):
    """The move is not allowed in this state."""

    exit_status = 1


class TryLater(Fault):
    """A fault of ours or of the machine: the same work may succeed later."""

    exit_status = 1


class CannotSign(TryLater):
    """Our own key does not sign now: its passphrase is not known, or its secret part is gone. A person must act."""
