"""Which of a vendor's statements is shown, by what became of each."""

from datetime import UTC, datetime

import pytest

from mailrouter.case import statement
from mailrouter.case.model import Statement

NOW = datetime(2026, 5, 4, tzinfo=UTC)
STATES = {"S": "superseded", "V": "verified", "C": "vouched", "H": "held", "W": "withdrawn"}


def kept(number: int, how: str) -> Statement:
    """`V!` is a verified one that was approved."""
    return Statement(
        id=number, case_id=1, participant_id=1, vendor="Acme", message_id=number, state=STATES[how[0]], reason="",
        bound=True, received_at=NOW, signed_at=NOW, fingerprint="", signature_id="", sha256="", verbatim=b"", form="",
        signed_bytes=b"", signature=b"", approved_at=NOW if how.endswith("!") else None, approved_by="",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("came", "shown"),
    [
        ("", None),
        ("V", None),
        ("H", None),
        ("V!", 1),
        ("S! V!", 2),
        ("S! C!", 2),
        ("S! V", 1),  # the newer one waits for approval
        ("S! C", 1),
        ("C S!", 2),  # an older mail, vouched for later
        ("S! S V", 1),
        ("S! S! V", 2),
        ("S! V H", 1),
        ("S! H V", 1),
        ("W! V", None),
        ("S! W V", None),  # nor what stood before the one that was withdrawn
        ("S! W! V", None),
        ("W! S! V", 2),  # said anew after it
        ("S!", None),
        ("S! W", None),
        ("S! H", None),
        ("S! H!", None),
    ],
)
def test_which_is_shown(came: str, shown: int | None) -> None:
    found = statement.approved([kept(number, how) for number, how in enumerate(came.split(), 1)])
    assert (found.id if found else None) == shown
