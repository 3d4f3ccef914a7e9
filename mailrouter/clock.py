"""The only place that asks what time it is. Everything else is handed the time as an argument."""

from datetime import UTC, datetime


def now() -> datetime:
    """The present instant, UTC, to the microsecond."""
    return datetime.now(UTC)
