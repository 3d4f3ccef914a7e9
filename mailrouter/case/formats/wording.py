"""What documents say of a vendor and a vulnerability: the same words in each form."""

from datetime import UTC, datetime

from mailrouter.case.note import Statement, Vendor, Vulnerability
from mailrouter.case.vuid import VuId

_HAPPENED = {  # lifecycle.PROGRESS -> what readers are told; `on` is " on DATE" where the date is known
    "suspected": "not contacted; may be affected",
    "not contacted": "not contacted",
    "contacted": "contacted{on}, no answer",
    "undeliverable": "our letters could not be delivered",
    "acknowledged": "has acknowledged our letter",
    "answered": "has answered",
    "disputed": "has answered, and disputes the vulnerability",
    "non-responsive": "contacted{on}, no answer since",
}
_VOUCHED = {"mail": "by mail", "telephone": "by telephone"}


def day(at: datetime) -> str:
    """2026-03-02, in UTC."""
    return at.astimezone(UTC).strftime("%Y-%m-%d")


def moment(at: datetime) -> str:
    """2026-03-02 09:00 UTC."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def stamp(at: datetime) -> str:
    """2026-03-02T09:00:00Z, as machines want it; parts of a second only where there are any."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def case(vu: int) -> str:
    """VU#123456."""
    return str(VuId(vu))


def label(vu: int, one: Vulnerability) -> str:
    """CVE-2026-12345, or VU#123456.1 while it has none."""
    return one.cve or str(VuId(vu, one.number))


def key(fingerprint: str) -> str:
    """A fingerprint in groups of four, as gpg shows it."""
    return " ".join(fingerprint[place : place + 4] for place in range(0, len(fingerprint), 4))


def proved(one: Statement) -> str:
    """What shows that a statement is the vendor's own."""
    if one.proof == "signed":
        return f"Verified by the signature of key {key(one.fingerprint)} on {day(one.proved_at)}."
    return f"Vouched: confirmed {_VOUCHED[one.proof]} on {day(one.proved_at)}."


def digest(one: Statement) -> str:
    """By which anybody can tell that these are its bytes: of what was proved, it is the vendor's own words."""
    return f"SHA-256 of this text: {one.sha256}"


def happened(one: Vendor) -> str:
    """What came of our letters, so that silence is not taken for "Unknown"."""
    return _HAPPENED[one.progress].format(on=f" on {day(one.notified_at)}" if one.notified_at else "")
