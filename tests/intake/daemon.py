"""Doors as a process of their own, to be killed: `python -m tests.intake.daemon DATABASE`. Prints its SMTP port."""

import asyncio
import signal
import sys
from pathlib import Path

from mailrouter import clock
from mailrouter.intake.doors import Doorway, open_doors
from tests.intake.house import ANYWHERE, OURS, Table


async def main(database: Path) -> None:
    """Serve until SIGTERM."""
    table = Table(database)
    doorway = Doorway((OURS,), database.parent, smtp=ANYWHERE, rate_per_sender=0, rate_total=0)
    doors = await open_doors(doorway, accept=table.accept, clock=clock.now)
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    print(doors.addresses["smtp"][1], flush=True)  # type: ignore[index]  # it is no socket's path
    await ended.wait()
    await doors.close(30)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
