"""What every command shares: settings, tools, who acts, and how a fault ends it.

Promises: a fault is one line on stderr and exit status 2 (wrong use) or 1 (the honest answer is no), never a traceback;
what a person typed is checked before anything is opened. How answers look is in `show.py`.
"""

import os
import pwd
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any

import click
from click.exceptions import NoArgsIsHelpError
from sqlalchemy.exc import DBAPIError

from mailrouter import clock, faults, settings
from mailrouter.cli.show import cell, fingerprint, plain, said, show_json, table, visible, when
from mailrouter.flow.actor import Actor, who
from mailrouter.store import migrate
from mailrouter.store.engine import Database
from mailrouter.store.inbox import Holder
from mailrouter.tools import Tools, make

__all__ = [
    "Commands", "Here", "as_json", "cell", "examples", "fingerprint", "here", "login", "plain", "said", "show_json",
    "table", "visible", "when",
]  # fmt: skip


class Here:
    """This invocation: settings and tools, opened when first needed."""

    def __init__(self, config: Path | None, now: Callable[[], datetime] = clock.now) -> None:
        self._config = config
        self._now = now

    @cached_property
    def settings(self) -> settings.Settings:
        """As loaded for this command."""
        return settings.load(self._config, os.environ)

    @cached_property
    def db(self) -> Database:
        """The database, its schema checked."""
        settings.ensure_data_dir(self.settings)
        db = Database(self.settings.database.url)
        migrate.check(db)
        return db

    @cached_property
    def tools(self) -> Tools:
        """What a flow is handed."""
        return make(self.settings, Holder(self.settings.node, f"cli-{os.getpid()}"), self.db)

    def close(self) -> None:
        """Whoever calls commands within a program lets go of what this one opened."""
        if "db" in self.__dict__:
            self.db.close()

    @property
    def now(self) -> datetime:
        """The present instant, UTC."""
        return self._now()

    @cached_property
    def actor(self) -> Actor:
        """The analyst whose Unix login this is, else the login itself."""
        with self.db.read() as tx:
            return who(tx, login())


here = click.make_pass_decorator(Here)


def login() -> str:
    """The caller's Unix login: whose process this is, not what the environment says."""
    number = os.getuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)  # a container's arbitrary user has no name


# ---- faults ---------------------------------------------------------------------------------------------------------


class OneLine(click.ClickException):
    """A fault as the shell sees it."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(re.sub(r"\s*[\t\n]\s*", " ", visible(message)))
        self.exit_code = exit_code  # type: ignore[misc]  # click declares it on the class and reads it from here

    def show(self, file: Any = None) -> None:
        """On stderr, under our name."""
        click.echo(f"mailrouter: {self.message}", err=True, file=file)


def _usage(fault: click.UsageError) -> OneLine:
    command = f" ({fault.ctx.command_path} --help)" if fault.ctx else ""
    return OneLine(fault.format_message().rstrip(".") + command, fault.exit_code)


class Commands(click.Group):
    """The main group. Its commands are imported when they are used; whatever goes wrong is one line and a status."""

    def __init__(self, *args: Any, modules: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._modules = modules

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of the table."""
        return list(self._modules)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, its module imported."""
        module = self._modules.get(cmd_name)
        if module is None:
            return None
        found = getattr(import_module(f"mailrouter.cli.{module}"), cmd_name)
        assert isinstance(found, click.Command)
        return found

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """Wrong options before the command are one line too."""
        try:
            return super().make_context(*args, **kwargs)
        except click.UsageError as fault:
            raise _usage(fault) from None

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except (NoArgsIsHelpError, OneLine):
            raise  # the one shows the help, the other is what we want
        except click.UsageError as fault:
            raise _usage(fault) from None
        except click.ClickException as fault:
            raise OneLine(fault.format_message(), fault.exit_code) from None
        except faults.Fault as fault:
            raise OneLine(str(fault) or type(fault).__doc__ or "", fault.exit_status) from None
        except DBAPIError as trouble:
            raise OneLine(_database_trouble(trouble), 1) from None


def _database_trouble(trouble: DBAPIError) -> str:
    """The driver's first line; never the statement and its values."""
    lines = str(trouble.orig).splitlines()
    return f"the database does not do its work: {lines[0] if lines else type(trouble.orig).__name__}"


def examples(*lines: str) -> str:
    """The end of a command's help, kept as it is."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


as_json = click.option("--json", "json_", is_flag=True, help="One JSON document on stdout.")
