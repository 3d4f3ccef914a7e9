"""Which of a vendor's statements readers are shown: only a text that an analyst approved.

A newer word of the vendor's that nobody approved yet takes nothing away from readers: till then they have the one
before it. One that was withdrawn never comes back, nor does what stood before it.
"""

from collections.abc import Sequence

from mailrouter.case.model import Statement


def approved(all_of_them: Sequence[Statement]) -> Statement | None:
    """Of one vendor's, in the order they came; None: there is none to show."""
    standing = next((one for one in reversed(all_of_them) if one.stands), None)
    if standing is None or standing.approved_at:
        return standing
    stood = [one for one in all_of_them if one.state in ("superseded", "withdrawn")]
    last = next((one for one in reversed(stood) if one.approved_at or one.state == "withdrawn"), None)
    return last if last is not None and last.state == "superseded" else None
