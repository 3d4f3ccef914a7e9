"""Do readers have what they should? One look for `doctor`."""

from datetime import datetime

from mailrouter.flow.people.keyhealth import Said
from mailrouter.flow.publishing import site
from mailrouter.tools import Tools

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
