"""A letter as it would be for one participant, without making it: nothing is queued, no key is made."""

from dataclasses import dataclass, replace

from sqlalchemy import Connection

from mailrouter import faults
from mailrouter.case.model import Participant
from mailrouter.flow import letters
from mailrouter.flow.actor import taking_part
from mailrouter.mail import compose, texts
from mailrouter.store import cases, contacts, outbox
from mailrouter.tools import Tools

NO_KEY = "-" * 40  # of a fingerprint's length
# What a letter of this kind would hold is known only when it is written: shown in brackets instead.
UNKNOWN = {
    "body": "[what the analyst writes]",
    "quoted": "> [the mail that is answered]",
    "items": "[what is new in the queues]",
    "waiting": "[what waits in the queues]",
    "due": "[the automatic letters of the next 24 hours]",
    "details": "",
}


@dataclass(frozen=True, slots=True)
class Preview:
    """What would leave."""

    name: str
    to: str
    subject: str
    body: str
    automatic: bool


def preview(tools: Tools, name: str, vu: int, whom: str) -> Preview:
    """The letter `name` as it would go to a participant now. `NotFound`: no such letter, case or participant."""
    text = tools.texts.get(name)
    if text is None:
        raise faults.NotFound(f"no letter is named {name!r}; there are {', '.join(tools.texts)}")
    with tools.db.read() as tx:
        case = cases.by_vu(tx, vu)
        participant = taking_part(tx, case, whom)
        known = letters.ours(_making_no_key(tools)) | letters.about(tx, tools, case, participant)
        known |= _of_the_turn(tx, participant) | {"node": tools.settings.node}
        address = contacts.address_for(tx, participant.organisation_id) or letters.NEVER
    filled = text.fill({field: f"[{field}]" for field in texts.LETTERS[name].fields} | UNKNOWN | known)
    if "vendor" not in texts.LETTERS[name].fields:  # a notice to one of us, or what whoever writes gets
        to = known["analyst"] if "analyst" in texts.LETTERS[name].fields else address
        return Preview(name, to, compose.subject(filled.subject), filled.body, filled.automatic)
    subject = compose.subject(filled.subject, f"VU#{vu}", participant.their_ref)
    return Preview(name, address, subject, filled.body, filled.automatic)


def _making_no_key(tools: Tools) -> Tools:
    return tools if tools.pgp.own_keys() else replace(tools, own_key=lambda: NO_KEY)


def _of_the_turn(tx: Connection, participant: Participant) -> dict[str, str]:
    """What follow-ups and notices say of the letter that is unanswered, if one is."""
    kind, _, number = (participant.since or "").partition(":")
    told = {"participant": participant.name, "sent": str(participant.follow_ups_sent)}
    if kind != "letter":
        return told
    asked = outbox.get(tx, int(number))
    return told | {"asked": asked.subject, "asked_on": letters.day(asked.made_at)}
