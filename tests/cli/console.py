"""An analyst at the command line, in one process: the real commands on the house of `tests/flow/world.py`."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from click.testing import CliRunner, Result

from mailrouter.cli import main
from mailrouter.cli.frame import Here
from mailrouter.flow.actor import Actor
from tests.flow.world import World


class Console:
    """Runs commands as Alice (or whoever `actor` is) at the world's time."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.actor = world.alice
        self.clock: Callable[[], datetime] = world.clock

    def run(self, *arguments: str, status: int = 0, given: bytes | str | None = None) -> Result:
        """One command; `status` is the exit status it must have. A traceback fails the test."""
        here = Here(None, self.clock)
        here.__dict__.update(
            settings=self.world.tools.settings, db=self.world.tools.db, tools=self.world.tools, actor=self.actor
        )
        done = CliRunner().invoke(main, list(arguments), obj=here, input=given, prog_name="mailrouter")
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code == status, (arguments, done.exit_code, done.output)
        return done

    def out(self, *arguments: str, status: int = 0, given: bytes | str | None = None) -> str:
        """Its standard output."""
        return self.run(*arguments, status=status, given=given).stdout

    def json(self, *arguments: str) -> Any:
        """Its document."""
        return json.loads(self.run(*arguments, "--json").stdout)

    def refused(self, *arguments: str, status: int, given: bytes | str | None = None) -> str:
        """What it says when the answer is no: exactly one line on stderr, nothing on stdout."""
        done = self.run(*arguments, status=status, given=given)
        assert done.stdout == ""
        lines = done.stderr.splitlines()
        assert len(lines) == 1, lines
        assert lines[0].startswith("mailrouter: ")
        return lines[0].removeprefix("mailrouter: ")

    def as_login(self, login: str) -> "Console":
        """The same, by somebody who is no analyst."""
        self.actor = Actor(f"unix:{login}")
        return self
