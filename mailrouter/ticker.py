"""APScheduler as a metronome only: it beats; what is due is asked of the database.

Its own job store would drop a job that is a second late and is not made for two nodes; deadlines are rows instead. It
reckons by the wall clock (testbook/faults.md R16): set back by an hour, it would rest for an hour, so it is woken; set
forward by ten years, its interval trigger would count twenty million missed beats, so it is given one that forgets.
"""

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from apscheduler.executors.pool import ThreadPoolExecutor as Beats
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

from mailrouter import logs
from mailrouter.flow.cves import working
from mailrouter.flow.telling import tell
from mailrouter.flow.timing import keydates, remind
from mailrouter.store import machine
from mailrouter.tools import Tools

BEAT_SECONDS = 15
LATE_SECONDS = 2 * BEAT_SECONDS
ERRAND_PATIENCE = 2.0  # seconds; what is under way then is left behind: it is safe to die in


def beat(tools: Tools, over: Callable[[], bool] = lambda: False) -> None:
    """One beat: what is due, who is to be told. Never raises: the next beat finds what this one left.

    Once `over` says so, it does no further row.
    """
    now = tools.now()
    parts = (
        lambda: remind.beat(tools, now, over=over),
        lambda: keydates.beat(tools, now, over=over),
        lambda: tell.everyone(tools, now),
        lambda: _alive(tools),
    )
    for do in parts:
        try:
            do()
        except Exception as trouble:  # noqa: BLE001 - each part is tried again in fifteen seconds
            logs.failed("beat.trouble", trouble)


def errands(tools: Tools, over: Callable[[], bool] = lambda: False) -> None:
    """What is asked of others over the network, beside the beat: it may take half a minute. Never raises."""
    try:
        working.work(tools, over)
    except Exception as trouble:  # noqa: BLE001 - all of it is tried again
        logs.failed("errand.trouble", trouble)


def _alive(tools: Tools) -> None:
    with tools.db.write() as tx:
        machine.beat(tx, tools.holder.node, tools.now())


class _Steady(BaseTrigger):  # type: ignore[misc]  # APScheduler ships no types
    """So long after now, however long ago the last beat was."""

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        return now if previous_fire_time is None else now + timedelta(seconds=BEAT_SECONDS)


class Ticker:
    """Beats every fifteen seconds in a thread of its own, never two at once, until stopped."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._over = threading.Event()
        self._beat_at = float("inf")  # of the monotonic clock
        self._scheduler = BackgroundScheduler(
            timezone="UTC",
            executors={"default": Beats(1)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        self._errands = threading.Thread(target=self._run_errands, name="errands", daemon=True)
        self._job = self._scheduler.add_job(self._beat, _Steady())

    def start(self) -> None:
        """The first beat is now."""
        self._beat_at = time.monotonic()
        self._scheduler.start()
        self._errands.start()

    def keep_time(self) -> None:
        """Beat now if the last beat is too long ago for a clock that only goes forward; harmless at any time."""
        if time.monotonic() - self._beat_at > LATE_SECONDS:
            self._beat_at = time.monotonic()
            self._job.modify(next_run_time=self._tools.now())

    def stop(self) -> None:
        """No further beat; waits for the one under way to end, which it does after the row it is at."""
        self._over.set()
        self._scheduler.shutdown(wait=True)
        self._errands.join(ERRAND_PATIENCE)

    def _run_errands(self) -> None:
        errands(self._tools, self._over.is_set)
        while not self._over.wait(BEAT_SECONDS):
            errands(self._tools, self._over.is_set)

    def _beat(self) -> None:
        beat(self._tools, self._over.is_set)
        self._beat_at = time.monotonic()
