"""Every setting: its name, its default, how it is read and what it means.

`load` gives one frozen `Settings`, or refuses what is unknown or cannot be taken before anything starts.
"""

from mailrouter.settings.model import Settings
from mailrouter.settings.reading import ensure_data_dir, load
from mailrouter.settings.values import Listen, hide

__all__ = ["Listen", "Settings", "ensure_data_dir", "hide", "load"]
