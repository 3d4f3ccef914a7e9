"""Whom an acknowledgement goes to: the person who certainly wrote from there, and nobody else.

Which number a mail names, which case there is and whether its sender is known are not among the facts here: so the
answer cannot depend on them (testbook S23). A mail that is not certainly its sender's is answered to nobody, since it
would be an answer to somebody who never wrote (S22). In doubt there is none.
"""

from collections.abc import Callable
from dataclasses import dataclass

PER_HOUR = 20  # in all, whoever writes (testbook S21): two machines that answer each other end here


@dataclass(frozen=True, slots=True)
class Facts:
    """What an answer to one mail depends on."""

    reverse_path: str | None  # RFC 5321; '' is the null sender; None: nobody told us (a mailbox was read)
    sender: str  # the address in From, strictly read and case-folded; '' when it is malformed
    machine: bool  # RFC 3834: written by a machine, or must not be answered
    internal: bool  # says it is one of us
    readable: bool  # within the limits of what is looked at
    proved: bool | None  # our mail server found the sender's domain behind it; None: it is not asked


_Refusal = tuple[str, Callable[[Facts], bool]]

# First match; the words are for tests and people. From and the envelope must be one address: only then does whoever
# handed the mail in say the same as the mail itself, and a server that takes the answer has an account of that name.
_REFUSALS: tuple[_Refusal, ...] = (
    ("the reverse-path is not known", lambda mail: mail.reverse_path is None),
    ("it came from the null sender", lambda mail: mail.reverse_path in ("", "<>")),
    ("a machine wrote it", lambda mail: mail.machine),
    ("it is beyond a limit", lambda mail: not mail.readable),
    ("its From is malformed", lambda mail: not mail.sender),
    ("the envelope names another sender", lambda mail: (mail.reverse_path or "").lower() != mail.sender),
    ("it says it is from us", lambda mail: mail.internal),
    ("our mail server did not find its sender proved", lambda mail: mail.proved is False),
)


def refusal(mail: Facts) -> str:
    """Why this mail is not acknowledged; '' when its sender may have one."""
    return next((why for why, holds in _REFUSALS if holds(mail)), "")
