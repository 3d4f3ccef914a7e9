"""Do readers have what they should? One look for `doctor`, and for each node's own watch.

Another node may have released what this one cannot build: so every node looks at its own site.
"""

from datetime import datetime, timedelta

from mailrouter.faults import Fault
from mailrouter.flow.people.keyhealth import Said
from mailrouter.flow.publishing import site
from mailrouter.flow.timing.watch import Trouble
from mailrouter.tools import Tools

BEHIND = timedelta(minutes=10)  # the worker looks every quarter of a minute
NO_ADDRESS = "identity.notes_url is not set: letters and the feed cannot say where readers find the notes"


def look(tools: Tools, now: datetime) -> Said:
    """The site is there and holds what was published; its address is known."""
    if not tools.settings.identity.notes_url:
        yield "warning", NO_ADDRESS
    if why := site.behind(tools, now):
        yield "bad", f"{why}; does a worker run? `mailrouter note press` builds the site"
        return
    built = site.newest(tools)
    yield "good", f"{len(built.notes)} notes, built {built.at:%Y-%m-%d %H:%M} UTC" if built else "nothing is published"


class Watch:
    """For how long this node's site has been behind, as far as this process has seen."""

    def __init__(self) -> None:
        self._since: datetime | None = None

    def troubles(self, tools: Tools, now: datetime) -> list[Trouble]:
        """One once it lasts. Whatever else is wrong there is its details, and never stops who asks."""
        why = _behind(tools, now)
        self._since = (self._since or now) if why else None
        if self._since is None or now - self._since <= BEHIND:
            return []
        said = f"{why}, since {self._since:%Y-%m-%d %H:%M} UTC; `mailrouter note press` there says why not"
        return [Trouble(f"the site of {tools.settings.node} is behind", said)]


def _behind(tools: Tools, now: datetime) -> str:
    try:
        return site.behind(tools, now)
    except Fault as fault:
        return str(fault)
    except OSError as trouble:
        return f"it cannot be read: {trouble.strerror or type(trouble).__name__}"
