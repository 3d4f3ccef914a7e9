"""A clock that only tests move."""

from datetime import UTC, datetime, timedelta

import pytest

START = datetime(2026, 3, 2, 9, tzinfo=UTC)  # a Monday


class Clock:
    """Called, it says its time (UTC). It stands still until it is moved."""

    def __init__(self, start: datetime = START) -> None:
        self.time = start

    def __call__(self) -> datetime:
        return self.time

    def forward(self, **lapse: float) -> datetime:
        """Move by days=, hours=, minutes=, seconds= (may be negative); the new time."""
        self.time += timedelta(**lapse)
        return self.time

    def to(self, time: datetime) -> datetime:
        """Set the time (UTC)."""
        self.time = time.astimezone(UTC)
        return self.time


@pytest.fixture
def clock() -> Clock:
    """Starts on Monday, 2 March 2026, 09:00 UTC."""
    return Clock()
