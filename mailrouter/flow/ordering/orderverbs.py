"""What each order by mail does: the verb a command would call, for the item that the mail is about.

Promises: nothing beyond the item's own case and participant is touched, whatever a number in an order says. Each
function returns what it did, in a few words without a name or an address; what it refuses it raises as a `Fault`.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from mailrouter import faults
from mailrouter.case.model import Case, Participant
from mailrouter.flow.actor import Actor
from mailrouter.flow.casework import coordinate, proposals
from mailrouter.flow.filing import file, statements
from mailrouter.flow.sending import outgoing
from mailrouter.store import analysts, orders, queues
from mailrouter.store.messages import Message
from mailrouter.tools import Tools


@dataclass(frozen=True, slots=True)
class About:
    """What a mail with orders is about, as it stands now."""

    order: orders.Order
    message: Message  # the mail with the orders
    analyst: analysts.Analyst
    item: queues.Item
    case: Case | None
    participant: Participant | None
    theirs: Message | None  # the mail of theirs that is answered

    @property
    def vu(self) -> int:
        """The case's number; `Illegal` when the item belongs to none."""
        if self.case is None:
            raise faults.Illegal(f"item {self.item.id} belongs to no case; file its mail first")
        return self.case.vu

    @property
    def whom(self) -> Participant:
        """The participant; `Illegal` when the item is about none."""
        if self.participant is None:
            raise faults.Illegal(f"item {self.item.id} is about no participant of a case")
        return self.participant


# ---- order by order -------------------------------------------------------------------------------------------------


def _done(tools: Tools, actor: Actor, about: About, _argument: str) -> str:
    file.done(tools, actor, about.item.id)
    return f"item {about.item.id} is done"


def _assign(tools: Tools, actor: Actor, about: About, name: str) -> str:
    coordinate.assign(tools, actor, about.vu, name)
    return f"VU#{about.vu} is {name}'s"


def _wait(tools: Tools, actor: Actor, about: About, day: str) -> str:
    try:
        until = datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise faults.Refused(f"{day} is no day") from None
    if until <= tools.now():
        raise faults.Refused(f"{day} lies in the past")
    coordinate.wait(tools, actor, about.vu, about.whom.name, until)
    return f"nobody's turn until {day} 00:00 UTC"


def _hold(tools: Tools, actor: Actor, about: About, number: str) -> str:
    chosen = _letters(tools, about, number, "queued")
    for letter_id in chosen:
        outgoing.hold(tools, actor, letter_id)
    return f"held: letter {', '.join(map(str, chosen))}"


def _release(tools: Tools, actor: Actor, about: About, number: str) -> str:
    chosen = _letters(tools, about, number, "held")
    for letter_id in chosen:
        outgoing.release(tools, actor, letter_id)
    return f"released: letter {', '.join(map(str, chosen))}"


_OF_LETTER = re.compile(r"letter:(\d+):")  # so begins the `once` of a notice about a letter


def _letters(tools: Tools, about: About, number: str, state: str) -> Sequence[int]:
    """The letter that is named, if it is this one's; else the one the notice is about; else all to the participant."""
    noticed = _OF_LETTER.match(about.item.once or "")
    if number or noticed:
        letter_id = int(number or (noticed[1] if noticed else 0))
        return [_of_the_item(tools, about, letter_id)]
    whom = about.whom
    with tools.db.read() as tx:
        found = orders.letters_to(tx, whom.id, state)
    if not found:
        raise faults.Illegal(f"no letter to them is {state}")
    return found


def _of_the_item(tools: Tools, about: About, letter_id: int) -> int:
    """Of its case, and to its participant when it is about one."""
    with tools.db.read() as tx:
        whose = orders.letter_of_case(tx, letter_id, about.case.id if about.case else None)
    if whose is None:
        raise faults.NotFound(f"no letter {letter_id} belongs to this case")
    if about.participant and whose != about.participant.id:
        raise faults.NotFound(f"letter {letter_id} goes to others than item {about.item.id} is about")
    return letter_id


def _approve(tools: Tools, actor: Actor, about: About, sha256: str) -> str:
    found = statements.approve(tools, actor, about.vu, about.whom.name, sha256)
    return f"the statement of SHA-256 {found.sha256} is approved"


def _take(tools: Tools, actor: Actor, about: About, _argument: str) -> str:
    if about.item.message_id is None:
        raise faults.Illegal(f"item {about.item.id} is no mail; nothing is said in it")
    taken = proposals.take_message(tools, actor, about.item.message_id)
    return f"taken as said: {', '.join(one.what for one in taken)}"


def _help(_tools: Tools, _actor: Actor, _about: About, _argument: str) -> str:
    return "these orders there are; they stand first, one a line, and text after a blank line:"


def _nothing(_tools: Tools, _actor: Actor, _about: About, _argument: str) -> str:
    return "understood"


QUIET = ("help",)
DOES: dict[str, Callable[[Tools, Actor, About, str], str]] = {
    "done": _done,
    "assign": _assign,
    "wait": _wait,
    "hold": _hold,
    "release": _release,
    "approve": _approve,
    "take": _take,
    "item": _nothing,
    "send": _nothing,
    "help": _help,
}
