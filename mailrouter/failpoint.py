"""Named places where a test may make the process die, as a power cut would (testbook/faults.md R03).

`MAILROUTER_FAILPOINT=name` arms one; unarmed, reaching a point costs one string comparison.
"""

import os

POINTS = (
    "accept-before-commit",
    "accept-in-transaction",
    "accept-after-commit",
    "imap-after-commit",
    "receive-after-claim",
    "receive-after-open",
    "receive-before-commit",
    "receive-after-commit",
    "order-after-open",
    "order-before-commit",
    "remind-between-row-and-letter",
    "remind-before-commit",
    "deliver-after-lease",
    "deliver-after-freeze",
    "deliver-after-relay",
    "deliver-after-record",
    "publish-after-decide",
    "press-while-building",
    "press-before-link",
    "press-after-link",
    "publish-before-release",
    "cve-after-order",
    "cve-after-try",
    "cve-after-answer",
    "cve-before-commit",
)

ARMED = os.environ.get("MAILROUTER_FAILPOINT", "")


def reach(point: str) -> None:
    """Die here without clean-up, exit status 137, if this point is armed."""
    if point == ARMED:
        os._exit(137)
