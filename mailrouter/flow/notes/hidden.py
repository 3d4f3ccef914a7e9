"""A note as it is searched for who must not be named: with all its files, and with what hidden reporters say known."""

from mailrouter import faults
from mailrouter.case.note import Edition
from mailrouter.flow import leaking
from mailrouter.flow.filing import look
from mailrouter.flow.leaking.ofnote import Rendered, rendered
from mailrouter.tools import Tools


def render(tools: Tools, case_id: int, edition: Edition) -> Rendered:
    """What is searched. Outside of transactions: it may take a while, mails are opened, and gpg is asked for our key.

    `TryLater` while a report of somebody who is hidden cannot be opened: what it says of them must be known.
    """
    with tools.db.read() as tx:
        unread = leaking.unread_of_case(tx, tools, case_id)
    for report_id, message_id in unread:
        seen = look.at(tools, message_id)
        if seen.trouble.startswith(look.NOT_NOW):
            raise faults.TryLater("a report of the case cannot be opened just now, and its reporter is hidden")
        leaking.remember(tools, report_id, seen.text)
    return rendered(tools, edition)
