"""What the tests of the IMAP door share: mailboxes in a daemon's settings, and mails that are told apart."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.faults.scene import Store, mails
from tests.servers.daemon import Daemon
from tests.servers.dovecot import PASSWORD
from tests.servers.wait import until

Daemons = Callable[..., Daemon]


def mailbox(port: int, user: str, name: str = "inbox", **more: Any) -> dict[str, Any]:
    """One `[[imap]]` in clear on loopback; `more` are its other settings."""
    plain = {"name": name, "host": "127.0.0.1", "port": port, "tls": False, "user": user, "password": PASSWORD}
    return plain | more


def written(path: Path, *mailboxes: dict[str, Any]) -> Path:
    """A settings file of these mailboxes alone."""
    lines = [f"{key} = {json.dumps(value)}" for one in mailboxes for key, value in [("[[imap]]", None), *one.items()]]
    path.write_text("\n".join(lines).replace("[[imap]] = null", "[[imap]]") + "\n")
    return path


def reader(daemons: Daemons, folder: Path, url: str, *mailboxes: dict[str, Any], **settings: str) -> Daemon:
    """A node that reads these mailboxes; not started."""
    node = daemons(url, WORKER__PROCESSES="1", **settings)
    node.environ["MAILROUTER_CONFIG"] = str(written(folder / f"{node.folder.name}.toml", *mailboxes))
    return node


def raws(count: int, run: str = "fetched") -> list[bytes]:
    """That many different mails."""
    return [mail.raw for mail in mails(count, run)]


def stored(store: Store, count: int, *, seconds: float = 60) -> list[bytes]:
    """What is stored, once it is that many mails."""
    until(lambda: store.one("SELECT count(*) FROM mails") >= count, f"{count} mails to be stored", seconds=seconds)
    return store.raws()


def same(one: Sequence[bytes], other: Sequence[bytes]) -> bool:
    """The same mails, each as often, in whatever order."""
    return sorted(one) == sorted(other)
