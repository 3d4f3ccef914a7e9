"""A letter of ours came back, or was refused: what that changes.

Only what proves that it is about our letter changes anything: a report that anybody could write is shown, and that is
all (testbook S33). Silence is still silence: no clock stops, nobody's turn changes, and nothing of it is answered.
"""

from mailrouter.case.actions import Actions, Notice, SendAgain, Undeliverable
from mailrouter.case.events import Fate, Returned
from mailrouter.case.model import Waiting


def came_back(event: Returned) -> Actions:
    """A dead address is marked, and the letter goes again to the next contact while it is still wanted."""
    if not event.proved or event.known:
        return []
    if event.fate is not Fate.NO_MAILBOX:
        return [_told(event, _OTHERWISE[event.fate])]
    again = [SendAgain(event.participant, event.letter_id)] if still_wanted(event) else []
    marked = Undeliverable(event.participant, event.letter_id, event.address, last=not event.others)
    return [marked, *again, _told(event, _words(event, again=bool(again)))]


def still_wanted(event: Returned) -> bool:
    """Whether the letter still has something to say: no answer came since, and an automatic one has its reason."""
    if not event.case.goes_on:
        return False
    heard = event.participant.last_heard_at
    if heard is not None and heard >= event.made_at:
        return False
    return not event.automatic or event.participant.waiting_on is Waiting.THEM


_OTHERWISE = {
    Fate.BEHIND: "an address behind theirs takes no mail; whether others there have it, only they can say",
    Fate.TROUBLE: "the report gives another reason than the address, or none: the address is still written to",
}
_ADD = "`mailrouter vendor add-contact`"


def _words(event: Returned, *, again: bool) -> str:
    """What happened, and what a person may do about it. The organisation stands beside it, the address nowhere."""
    if event.others:
        return "its address takes no mail; " + (
            "it goes again to their next contact" if again else "the next letter goes to their next contact"
        )
    if again:
        return f"nobody else is known there: it is held until you add a contact ({_ADD}) and release it"
    return f"nobody else is known there: add a contact ({_ADD}) before you write again"


def _told(event: Returned, what: str) -> Notice:
    return Notice(event.case.queue, f"{event.says} {what}", event.once, event.participant)
