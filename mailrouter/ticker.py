"""APScheduler as a metronome only: it beats; what is due is asked of the database.

Its own job store would drop a job that is a second late and is not made for two nodes; deadlines are rows instead.
"""

from apscheduler.executors.pool import ThreadPoolExecutor as Beats
from apscheduler.schedulers.background import BackgroundScheduler

from mailrouter import logs
from mailrouter.flow import remind, tell
from mailrouter.store import machine
from mailrouter.tools import Tools

BEAT_SECONDS = 15


def beat(tools: Tools) -> None:
    """One beat: what is due, who is to be told. Never raises: the next beat finds what this one left."""
    now = tools.now()
    for do in (remind.beat, tell.everyone, _alive):
        try:
            do(tools, now)
        except Exception as trouble:  # noqa: BLE001 - each part is tried again in fifteen seconds
            logs.failed("beat.trouble", trouble)


def _alive(tools: Tools, now: object) -> None:
    with tools.db.write() as tx:
        machine.beat(tx, tools.holder.node, tools.now())


class Ticker:
    """Beats every fifteen seconds in a thread of its own, never two at once, until stopped."""

    def __init__(self, tools: Tools) -> None:
        self._scheduler = BackgroundScheduler(
            timezone="UTC",
            executors={"default": Beats(1)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        self._scheduler.add_job(beat, "interval", (tools,), seconds=BEAT_SECONDS, next_run_time=tools.now())

    def start(self) -> None:
        """The first beat is now."""
        self._scheduler.start()

    def stop(self) -> None:
        """No further beat; waits for the one under way."""
        self._scheduler.shutdown(wait=True)
