"""A letter as it would be for one participant, without making it: nothing is queued, no key is made.

What only the occasion of a letter could say is an example, which hangs together: a SHA-256 is that of the text shown.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import Connection

from mailrouter import faults
from mailrouter.case import accept as promises
from mailrouter.case import contacting, embargo, followup, noted, orders, receipt, terms
from mailrouter.case import decline as reasons
from mailrouter.case.conditions import Assurance
from mailrouter.case.model import Case, Participant
from mailrouter.case.receipt import Facts, Kind, Lack
from mailrouter.case.terms import Terms
from mailrouter.flow import details, letters
from mailrouter.flow.actor import taking_part
from mailrouter.flow.reports import accept, decline
from mailrouter.flow.telling.notices import TRANSCRIPT
from mailrouter.mail import compose, confirmation, texts
from mailrouter.store import cases, contacts, descriptions, outbox, receipts, vouchers
from mailrouter.tools import Tools

NO_KEY = "-" * 40  # of a fingerprint's length
VRF = "VRF#26-11-BCDFG"
# What a letter of this kind would hold is known only when it is written: shown in brackets instead.
UNKNOWN = {
    "body": "[what the analyst writes]",
    "quoted": "> [the mail that is answered]",
    "items": "[what is new in the queues]",
    "waiting": "[what waits in the queues]",
    "due": "[the automatic letters of the next 24 hours]",
    "details": "",
    "details_later": "",
    "how_clear_text": "",
    "answer_to": "[the address that this analyst is given for the item]",
    "old_fingerprint": "[the fingerprint of the key that signed before]",
    "their_key": "[the fingerprint of their key]",
    "away": "[the colleague who is away]",
    "asked": "[the subject of our letter]",
    "asked_on": "[when it left]",
    "alarm": "[what is wrong]",
    "draft": "revision 1, draft 1",
    "cves": "[the CVE IDs, if there are any]",
    "replaces": "",
    "pseudonym": "[the pseudonym of whoever wrote it]",
    "wanted": "[what is asked of them]",
    "note": "",
    "files": "",
    "sent": "[how many reminders have left]",
    "vrf": VRF,
    "received": "[when their report came]",
    "cve": "[the CVE ID that they assigned]",
    "revision": "[its number]",
    "changed": "[what readers find new]",
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
    """The letter `name` as it would go to a participant now. `NotFound`: no such letter, case or participant.

    `Illegal` for a letter to vendors, and somebody who is none.
    """
    text = tools.texts.get(name)
    if text is None:
        raise faults.NotFound(f"no letter is named {name!r}; `mailrouter letter list` shows those there are")
    with tools.db.read() as tx:
        case = cases.by_vu(tx, vu)
        participant = _addressed(name, taking_part(tx, case, whom))
        known = letters.ours(_making_no_key(tools)) | letters.about(tx, tools, case, participant)
        known |= _of_the_description(tx, case, participant, name, tools.now())
        known |= _of_the_turn(tx, participant) | {"node": tools.settings.node}
        known |= _of_the_embargo(case, participant, tools.now())
        known |= {"url": noted.address(tools.settings.identity.notes_url, vu), "thanks": noted.thanks(participant)}
        address = contacts.address_for(tx, participant.organisation_id) or letters.NEVER
    example = UNKNOWN | _example(name, vu, address, tools.now()) | _told(name, vu, known, tools.now())
    filled = text.fill({field: f"[{field}]" for field in texts.LETTERS[name].fields} | example | known)
    if "vrf" in texts.LETTERS[name].fields and "vu" not in texts.LETTERS[name].fields:
        return Preview(name, address, compose.subject(filled.subject, VRF), filled.body, filled.automatic)
    if "vendor" not in texts.LETTERS[name].fields:  # a notice to one of us, or what whoever writes gets
        to = known["analyst"] if "analyst" in texts.LETTERS[name].fields else address
        return Preview(name, to, compose.subject(filled.subject), filled.body, filled.automatic)
    subject = compose.subject(filled.subject, f"VU#{vu}", participant.their_ref)
    return Preview(name, address, subject, filled.body, filled.automatic)


def _addressed(name: str, participant: Participant) -> Participant:
    """`Illegal` for who is never written to like this."""
    if name in (details.FIRST, details.LETTER) and not participant.is_vendor:
        raise faults.Illegal(f"{name} is a letter to vendors; {participant.name} is a {participant.role}")
    return participant


def _of_the_description(
    tx: Connection, case: Case, participant: Participant, name: str, now: datetime
) -> dict[str, str]:
    """What of it the letter would carry to them now, and what it says in its place."""
    newest = descriptions.newest(tx, case.id)
    if name == details.LETTER:
        return details.values(newest, participant.described)
    if name != details.FIRST:
        return {}
    keys = contacts.keys_of(tx, [participant.organisation_id], retired=True)
    what = details.carries(participant, keys, now, described=newest is not None)
    return details.values(newest if what in contacting.DETAILED else None) | contacting.words(what)


def _example(name: str, vu: int, address: str, now: datetime) -> dict[str, str]:
    """An occasion for any letter: now, and about this case."""
    said = {
        "received": letters.minute(now), "since": letters.minute(now), "date": letters.day(now), "sender": address,
        "published_on": letters.minute(now),
        "until": letters.day(now + timedelta(days=10)), "expires_on": letters.day(now + timedelta(days=60)),
        "item": "12", "number": f"VU#{vu}", "count": "2", "reason": orders.NO_ADDRESS,
    }  # fmt: skip
    if name == TRANSCRIPT:
        said["items"] = f"done: item 12 is done\nyour text: {UNKNOWN['body']}, sent on as letter 34"
    of_cves = {"cve-ask": "CVE:", "cve-assigned": f"  VU#{vu}.1: CVE-2026-12345"}
    return said | ({"items": of_cves[name]} if name in of_cves else {})


_SAYS: Mapping[str, tuple[Kind, Assurance, str, Lack | None]] = {
    receipts.RECEIPT: (Kind.STANDS, Assurance.VERIFIED, "good", None),
    receipts.HELD: (Kind.HELD, Assurance.UNSIGNED, "none", Lack.UNSIGNED),
}


_OF_REPORTS = {
    accept.ACCEPTED: {"named": promises.UNNAMED, "credited": promises.CREDIT_ASKED},
    decline.DECLINED: decline.words(reasons.REASONS["low-score"]),
}


def _told(name: str, vu: int, known: Mapping[str, str], now: datetime) -> dict[str, str]:
    """What a letter about a text says: of one that stands, of one that is not signed, or of one to be confirmed."""
    if name in _OF_REPORTS:
        return _OF_REPORTS[name]
    if name not in (*_SAYS, vouchers.LETTER):
        return {}
    text = f"VU#{vu}: our product is not affected.\n"
    shown = {"quoted": confirmation.barred(text), "sha256": sha256(text.encode()).hexdigest()}
    if name == vouchers.LETTER:
        return shown
    kind, assurance, verdict, lack = _SAYS[name]
    facts = Facts(kind, vu, known["vendor"], assurance, verdict, lack, "[theirs]", now, has_key=True, repeated=True)
    said = receipt.words(facts)
    words = {"proved": said.proved, "becomes": said.becomes, "missing": said.missing, "remedy": said.remedy}
    return shown | words


def _of_the_embargo(case: Case, participant: Participant, now: datetime) -> dict[str, str]:
    """What letters about it would say of a date of ours, two months from now, that nobody has answered."""
    at = now + timedelta(days=60)
    one = Terms(0, case.id, 1, at, "UTC", None, None, now, "", "", terms.PROPOSED, None, "", "")
    told = embargo.proposal(embargo.Asked(case.vu, one, None, one, None), participant) | embargo.ending(case)
    return told | embargo.agreement(one, participant) | {"answer_by": letters.minute(now + timedelta(days=7))}


def _making_no_key(tools: Tools) -> Tools:
    return tools if tools.pgp.own_keys() else replace(tools, own_key=lambda: NO_KEY)


def _of_the_turn(tx: Connection, participant: Participant) -> dict[str, str]:
    """What follow-ups and notices say of the letter that is unanswered, if one is."""
    began = letters.began_by(participant.since)
    told = {"participant": participant.name, "sent": str(participant.follow_ups_sent)}
    told |= followup.words(participant)
    if began is None:
        return told
    asked = outbox.get(tx, began)
    return told | {"asked": asked.subject, "asked_on": letters.day(asked.made_at)}
