"""`mailrouter serve` and `mailrouter doctor`: run it, and see whether it is well."""

from typing import Any

import click

from mailrouter.cli.frame import Here, as_json, examples, here, show_json
from mailrouter.cli.show import cell
from mailrouter.flow import doctor as examination


class _Parts(click.ParamType[Any]):
    name = "parts"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """`smtp,worker` -> ("smtp", "worker")."""
        from mailrouter.service import PARTS

        chosen = tuple(part.strip() for part in value.split(","))
        if unknown := [part for part in chosen if part not in PARTS]:
            self.fail(f"{unknown[0]!r} is no part of the daemon; there are {', '.join(PARTS)}", param, ctx)
        return chosen


@click.command(epilog=examples("mailrouter serve", "mailrouter serve --only smtp,lmtp"))
@click.option("--only", type=_Parts(), metavar="PART,…", help="Of smtp, lmtp, imap, worker, ticker, web. All without.")
@here
def serve(here: Here, only: tuple[str, ...] | None) -> None:
    """The daemon. Says `ready` on stderr once every door listens; SIGTERM stops it in order."""
    from mailrouter import service  # costs every other command a third of its time

    service.serve(here.settings, only or service.PARTS)


@click.command(epilog=examples("mailrouter doctor", "mailrouter doctor --json"))
@as_json
@here
def doctor(here: Here, json_: bool) -> None:
    """Look at everything that must be well, a line each. Exit 1 if anything is bad."""
    found = examination.examine(here.settings, here.now)
    if json_:
        show_json({"good": all(finding.state != "bad" for finding in found), "checks": found})
    else:
        width = max(len(finding.name) for finding in found)
        for finding in found:
            click.echo(f"{finding.name:{width}}  {_MARKS[finding.state]}  {cell(finding.says)}")
    if any(finding.state == "bad" for finding in found):
        click.get_current_context().exit(1)


_MARKS = {"good": "ok  ", "warning": "warn", "bad": "BAD "}
