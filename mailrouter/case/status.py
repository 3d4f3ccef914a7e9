"""Vendor status, per vendor and vulnerability: what a vendor says of its products (DOMAIN.md, State models)."""

from collections.abc import Iterable

AFFECTED, NOT_AFFECTED, UNKNOWN = "Affected", "Not Affected", "Unknown"
STATUSES = (AFFECTED, NOT_AFFECTED, UNKNOWN)  # over several vulnerabilities, the first that is among them counts


def over_several(statuses: Iterable[str]) -> str:
    """One word for several vulnerabilities: Affected > Not Affected > Unknown; of none, Unknown."""
    return min(statuses, key=STATUSES.index, default=UNKNOWN)
