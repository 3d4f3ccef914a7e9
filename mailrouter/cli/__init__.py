"""The command `mailrouter`: one module per noun; each only reads its arguments, calls a flow and shows the answer."""

from pathlib import Path

import click

from mailrouter.cli import frame

# command -> the module here that holds it, under the same name; imported when it is used, since what the daemon needs
# would cost every other command a third of its time
COMMANDS = {
    "vendor": "vendor",
    "analyst": "analyst",
    "report": "report",
    "case": "case",
    "embargo": "embargo",
    "participant": "participant",
    "queue": "queue",
    "message": "message",
    "statement": "statement",
    "proposal": "proposal",
    "note": "note",
    "cve": "cve",
    "outbox": "outbox",
    "letter": "letter",
    "search": "journal",
    "journal": "journal",
    "books": "books",
    "beat": "beat",
    "inspect": "inspect",
    "key": "key",
    "serve": "daemon",
    "doctor": "daemon",
    "db": "db",
    "backup": "db",
    "restore": "db",
}


@click.group(
    cls=frame.Commands,
    modules=COMMANDS,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=frame.examples("mailrouter", "mailrouter case open 'Heap overflow in libfoo' --from 12"),
)
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="Settings file (else MAILROUTER_CONFIG, config/mailrouter.toml).",
)
@click.version_option(package_name="mailrouter")
@click.pass_context
def main(ctx: click.Context, config: Path | None) -> None:
    """Coordinated vulnerability disclosure by mail. Alone: what waits for you."""
    ctx.obj = ctx.obj or frame.Here(config)  # given by whoever calls this within a program
    if ctx.invoked_subcommand is None:
        from mailrouter.cli import home

        home.overview(ctx.obj)
