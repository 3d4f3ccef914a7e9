"""The mailboxes we read, held against their servers' own counts: what is there, what we took, what is left.

Promises: looks only, marks nothing, and ends within half a minute whatever a server does. A server that cannot be asked
is said to be that; our own figures are shown all the same.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from mailrouter.mailbox import folder
from mailrouter.mailbox.folder import Counts, Position, Way
from mailrouter.mailbox.session import Trouble
from mailrouter.settings.model import Imap
from mailrouter.store import mailboxes
from mailrouter.store.engine import Database
from mailrouter.store.mailboxes import Account


@dataclass(frozen=True, slots=True)
class Reconciled:
    """One mailbox: our account of it, and the server's counts or why there are none."""

    account: Account
    counts: Counts | None
    trouble: str = ""

    @property
    def agrees(self) -> bool | None:
        """Whether the server shows no more as done than we took. None: it cannot tell.

        It may show less: people tidy up. More means that somebody else moved or marked mail, or that some was lost.
        """
        if self.counts is None or self.counts.way is Way.COUNTED:
            return None
        return self.counts.done - self.account.done_before <= self.account.taken


def reconcile(db: Database, read: Sequence[Imap]) -> list[Reconciled]:
    """Each mailbox of the settings, in their order; the servers are asked all at once."""
    if not read:
        return []
    before = _accounts(db, read)
    looked = folder.look((one, Position(mine.last_uids)) for one, mine in zip(read, before, strict=True))
    after = _accounts(db, read)  # after the look: what was moved until then was counted by us before
    return [_held_against(mine, looked[mine.name]) for mine in after]


def _accounts(db: Database, read: Sequence[Imap]) -> list[Account]:
    with db.read() as tx:
        return [mailboxes.account(tx, one.name) for one in read]


def _held_against(account: Account, found: Counts | Trouble) -> Reconciled:
    return Reconciled(account, None, str(found)) if isinstance(found, Trouble) else Reconciled(account, found)


def said(found: Sequence[Reconciled]) -> Iterator[tuple[Literal["good", "warning", "bad"], str]]:
    """In words an operator can act on; a line for each."""
    for one in found:
        name, counts = one.account.name, one.counts
        if counts is None:
            yield "bad", f"{name}: {one.trouble}"
        elif not one.account.is_read:
            yield "warning", f"{name}: logs in; {counts.left} wait, and no daemon reads it"
        elif one.agrees is False:
            yield "warning", f"{name}: logs in; more is marked there than was taken: `mailrouter books`"
        elif one.account.passed_over:
            passed = one.account.passed_over
            yield (
                "warning",
                f"{name}: logs in; {passed} lie there and are not taken: `mailrouter queue show quarantine`",
            )
        else:
            yield "good", f"{name}: logs in; {counts.left} wait"
    if not found:
        yield "good", "none to read"
