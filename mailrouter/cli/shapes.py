"""The JSON of `show` and `list`: stable keys (CONTRACT.md, Commands). A key may be added, never renamed."""

from collections.abc import Sequence
from datetime import datetime

from mailrouter.case import answers, status
from mailrouter.case.model import Case, Deadline, DeadlineKind, Participant, Statement
from mailrouter.case.policy import own
from mailrouter.cli import embargoshape
from mailrouter.cli.show import number
from mailrouter.flow.filing import look
from mailrouter.store.analysts import Analyst
from mailrouter.store.candidates import Candidate
from mailrouter.store.contacts import PinnedKey
from mailrouter.store.descriptions import Description
from mailrouter.store.drafts import ShownDraft
from mailrouter.store.embargoes import Embargo
from mailrouter.store.messages import Message
from mailrouter.store.proposals import Proposal
from mailrouter.store.queues import Shown
from mailrouter.store.relays import Relay
from mailrouter.store.views import CaseFile, Sent, Turn, Vendor
from mailrouter.store.vouchers import Voucher
from mailrouter.store.vulnerabilities import VendorStatus, Vulnerability

Shape = dict[str, object]
PEOPLES = ("person", "unread", "letter", "call", "phone", "other")  # kinds that no machine wrote, as far as we know


# ---- cases ---------------------------------------------------------------------------------------------------------


def case_line(case: Case, turns: int = 0) -> Shape:
    """One of `case list`."""
    return {
        "vu": number(case.vu), "title": case.title, "state": case.state, "analyst": case.analyst or None,
        "urgent": case.urgent, "opened_at": case.opened_at, "closed_at": case.closed_at,
        "embargo": {"state": case.embargo, "ends_at": case.embargo_ends_at},
        "publication": {"planned_at": case.planned_at}, "waiting_on_us": turns,
    }  # fmt: skip


def case(file: CaseFile) -> Shape:
    """`case show`."""
    return {
        **case_line(file.case, sum(p.waiting_on == "us" for p in file.participants)),
        "embargo": embargoshape.of(Embargo(file.case, list(file.terms), list(file.participants))),
        "first_contact_at": file.case.first_contact_at,
        "policy": dict(own(file.case)),
        "description": description(file.description) if file.description else None,
        "public_at": file.case.public_at,
        "exploit_public_at": file.case.exploit_public_at,
        "attacks_at": file.case.attacks_at,
        "merged_into": number(file.merged_into),
        "vulnerabilities": [vulnerability(file.case.vu, v) for v in file.vulnerabilities],
        "participants": [participant(file, p) for p in file.participants],
        "messages": [message_of_case(file, m) for m in file.messages],
        "statements": [statement(s, file.vouched.get(s.id)) for s in file.statements],
        "deadlines": [deadline(file, d) for d in file.deadlines],
        "remarks": [{"id": m.id, "at": m.received_at, "by": m.sender, "text": m.note} for m in file.remarks],
        "elsewhere": [message(m) for m in file.elsewhere],
        "proposals": [proposal(p) for p in file.proposals],
        "relays": relays(file),
    }


def relays(file: CaseFile, participant_id: int | None = None) -> list[Shape]:
    """What was passed on in a case, or from and to one participant; `from` and `to` are names."""
    senders = {m.id: m.participant_id for m in file.messages}
    return [
        relay(one, _name(file, senders.get(one.message_id)), _name(file, one.participant_id))
        for one in file.relays
        if participant_id in (None, one.participant_id, senders.get(one.message_id))
    ]


def _name(file: CaseFile, participant_id: int | None) -> str | None:
    found = file.participant(participant_id)
    return found.name if found else None


def relay(one: Relay, sender: str | None, to: str | None) -> Shape:
    """One mail that was passed on to one participant."""
    files = [{"name": f["name"], "left_as": f["left_as"]} for f in one.carried]
    return {
        "message": one.message_id, "from": sender, "to": to, "letter": one.letter_id, "files": files,
        "consent": one.consent, "at": one.made_at, "by": one.made_by,
    }  # fmt: skip


def participant(file: CaseFile, one: Participant) -> Shape:
    """One of `case show`, and `participant show`."""
    return {
        "name": one.name, "pseudonym": one.pseudonym, "role": one.role, "roles": list(one.roles),
        "progress": one.progress,
        "waiting_on": str(one.waiting_on), "statuses": statuses(file, one), "status": overall(file, one),
        "stated": [said_of(file, said) for said in file.statuses.get(one.id, ())],
        "rm": one.rm, "aware_at": one.aware_at, "fix_ready_at": one.fix_ready_at,
        "fix_deployed_at": one.fix_deployed_at, "fix_expected_at": one.fix_expected_at,
        "first_contact_at": one.first_contact_at, "left_at": one.left_at, "left_why": one.left_why or None,
        "last_heard_at": one.last_heard_at, "next_follow_up_at": next_follow_up(file, one),
        "follow_ups_sent": one.follow_ups_sent, "wait_until": one.wait_until, "consent": one.consent,
        "their_ref": one.their_ref, "anonymous": one.anonymous,
        "clear_text_at": one.clear_text_at, "clear_text_by": one.clear_text_by,
        "described": one.described, "promised": one.promised, **draft_shown(file.drafts.get(one.id)),
    }  # fmt: skip


def draft_shown(one: ShownDraft | None) -> Shape:
    """The draft of the note that a participant was shown last."""
    which = {"revision": one.number, "draft": one.draft, "shown_at": one.shown_at} if one else None
    return {"draft_shown": which, "draft_acknowledged_at": one.acknowledged_at if one else None}


def statuses(file: CaseFile, one: Participant) -> Shape:
    """By vulnerability; empty for who is no vendor."""
    if not one.is_vendor:
        return {}
    said = {status.number: status.status for status in file.statuses.get(one.id, ())}
    return {f"VU#{file.case.vu}.{v.number}": said.get(v.number, status.UNKNOWN) for v in file.vulnerabilities}


def said_of(file: CaseFile, said: VendorStatus) -> Shape:
    """One of `stated`: what a vendor said of one vulnerability, with its reason."""
    return {
        "vulnerability": f"VU#{file.case.vu}.{said.number}", "status": said.status, "why": said.why or None,
        "fixed_in": said.fixed_in or None, "updated_at": said.updated_at, "updated_by": said.updated_by,
    }  # fmt: skip


def overall(file: CaseFile, one: Participant) -> str | None:
    """Over all vulnerabilities; None for who is no vendor."""
    said = file.statuses.get(one.id, ())
    return status.over_several(each.status for each in said) if one.is_vendor else None


def vulnerability(vu: int, one: Vulnerability) -> Shape:
    """One of `case vulnerability --list`."""
    return {"id": f"VU#{vu}.{one.number}", "title": one.title, "cve": one.cve or None, "added_at": one.added_at}


def next_follow_up(file: CaseFile, one: Participant) -> object:
    """When the next rung of the ladder falls due; None when it is not their turn."""
    due = file.next_deadline(one, DeadlineKind.FOLLOW_UP)
    return due.due_at if due else None


def deadline(file: CaseFile, one: Deadline) -> Shape:
    """One of `case show`."""
    whose = file.participant(one.participant_id)
    return {
        "kind": str(one.kind), "participant": whose.name if whose else None, "rung": one.rung, "due_at": one.due_at,
        "done_at": one.done_at, "outcome": one.outcome,
    }  # fmt: skip


def description(one: Description) -> Shape:
    """The newest one of `case show`; `case describe --show`."""
    return {
        "version": one.version, "made_at": one.made_at, "made_by": one.made_by,
        "files": [{"name": file["name"], "type": file["type"], "sha256": file["digest"]} for file in one.attached],
    }  # fmt: skip


# ---- messages ------------------------------------------------------------------------------------------------------


def message(one: Message, letter: Sent | None = None) -> Shape:
    """A mail, a letter of ours or a conversation."""
    return {
        "id": one.id, "direction": one.direction, "kind": one.kind, "from": one.sender,
        "to": one.recipient.partition(",")[0], "subject": one.subject, "received_at": one.received_at,
        "place": one.place, "why": one.why, "standing": one.standing, "automated": is_automated(one, letter),
        "encrypted": letter.encrypted if letter else one.encrypted, "assurance": one.assurance,
        "flags": one.flags.split(), "reason": one.reason,
        "signature": {
            "verdict": one.verdict, "fingerprint": one.fingerprint, "covers": one.covers, "signed_at": one.signed_at,
            "certificate": one.certificate or None, "gpg": one.gpg or None,
        },
        "message_id": one.message_id, "vouched_by": one.vouched_by,
        "about": {"letter": one.about_letter_id, "evidence": one.about_evidence} if one.about_letter_id else None,
    }  # fmt: skip


def is_automated(one: Message, letter: Sent | None = None) -> bool:
    """Whether a machine wrote it."""
    return letter.automatic if letter else one.kind not in PEOPLES


def message_of_case(file: CaseFile, one: Message) -> Shape:
    """One of `case show`: whose it is, and for a letter what became of it."""
    whose = file.participant(one.participant_id)
    letter = file.letters.get(one.letter_id) if one.letter_id is not None else None
    return {
        **message(one, letter),
        "participant": whose.name if whose else None,
        "letter": {"id": letter.id, "name": letter.name, "state": letter.state, "why": letter.why} if letter else None,
    }


def looked_at(seen: look.Look, vu: int | None, participant_name: str | None, vrf: str | None = None) -> Shape:
    """`message show`."""
    one = seen.message
    return {
        **message(one),
        "vu": number(vu), "report": vrf, "participant": participant_name, "claimed_vu": number(one.claimed_vu),
        "suggested_vu": number(one.suggested_vu), "signed_at": one.signed_at, "decrypted": seen.decrypted,
        "defects": list(seen.defects) or one.defects.split(),
        "attachments": [{"name": f.name, "type": f.media_type, "size": len(f.content)} for f in seen.files],
        "outer_subject": seen.outer_subject or None, "trouble": seen.trouble,
    }  # fmt: skip


def item(shown: Shown) -> Shape:
    """One of `queue show`."""
    return {
        "item": shown.item.id, "kind": shown.item.kind, "message": shown.item.message_id, "vu": number(shown.vu),
        "from": shown.sender, "subject": shown.subject, "received_at": shown.received_at, "standing": shown.standing,
        "why": shown.item.why, "suggested_vu": number(shown.suggested_vu), "about_letter": shown.about_letter_id,
        "report": shown.vrf,
    }  # fmt: skip


def turn(one: Turn) -> Shape:
    """A participant who waits on us."""
    return {"vu": number(one.vu), "participant": one.participant, "last_heard_at": one.last_heard_at}


# ---- statements ----------------------------------------------------------------------------------------------------


def statement(one: Statement, by: Voucher | None = None) -> Shape:
    """One of `case show` and `statement list`; `statement show`. `by`: who vouched for it."""
    return {
        "vendor": one.vendor, "state": one.state, "reason": one.reason, "bound": one.bound, "message": one.message_id,
        "received_at": one.received_at, "signed_at": one.signed_at, "fingerprint": one.fingerprint,
        "sha256": one.sha256, "form": one.form, "approved": one.approved_at is not None,
        "approved_at": one.approved_at, "approved_by": one.approved_by or None, "vouched": vouched(by) if by else None,
    }  # fmt: skip


def vouched(by: Voucher) -> Shape:
    """How a text without a signature came to stand, when, and by whom."""
    return {
        "how": by.how, "sha256": by.sha256, "asked_at": by.asked_at, "asked_by": by.asked_by, "done_at": by.done_at,
        "message": by.message_id, "letter": by.letter_id, "telephone": by.telephone or None,
        "why": by.why or None, "spoke_with": by.spoke_with or None, "agreed_by": by.agreed_by or None,
    }  # fmt: skip


# ---- what they say --------------------------------------------------------------------------------------------------


def proposal(one: Proposal) -> Shape:
    """One of `proposal list`, `proposal show`, and of what `case`, `participant` and `message show` list as open."""
    promised = answers.expected(one.value) if one.what == answers.What.FIX_EXPECTED else None
    return {
        "id": one.id, "vu": number(one.vu), "participant": one.participant, "message": one.message_id,
        "what": one.what, "value": one.value, "vulnerability": one.vulnerability or None,
        "date": promised.day.isoformat() if promised else None, "made_at": one.made_at,
        "outcome": one.outcome or "open", "decided_at": one.decided_at, "decided_by": one.decided_by or None,
    }  # fmt: skip


# ---- who -----------------------------------------------------------------------------------------------------------


def vendor(one: Vendor, now: datetime) -> Shape:
    """`vendor show`, and one of `vendor list`."""
    return {
        "name": one.organisation.name, "kind": one.organisation.kind, "cna": one.organisation.cna,
        "telephone": one.organisation.telephone or None,
        "contacts": [{"address": c.address, "undeliverable": c.undeliverable} for c in one.contacts],
        "domains": list(one.domains), "keys": [key(k, now) for k in one.keys],
    }  # fmt: skip


def key(one: PinnedKey, now: datetime) -> Shape:
    """A pinned key."""
    return {
        "fingerprint": one.fingerprint, "user_id": one.user_id, "state": one.state(now),
        "can_encrypt": one.can_encrypt, "expires_at": one.expires_at, "pinned_at": one.pinned_at,
        "pinned_by": one.pinned_by or None, "channel": one.channel or None, "retired_at": one.retired_at,
        "retired_why": one.retired_why or None, "revoked_at": one.revoked_at,
    }  # fmt: skip


def candidate(one: Candidate, pinned: Sequence[PinnedKey]) -> Shape:
    """A key that a mail brought along, and nobody has decided about."""
    return {
        "fingerprint": one.fingerprint, "user_id": one.user_id, "renews": renews(one, pinned),
        "expires_at": one.expires_at, "source": one.source, "message": one.message_id, "proved": one.proved,
        "seen_at": one.seen_at,
    }  # fmt: skip


def renews(one: Candidate, pinned: Sequence[PinnedKey]) -> bool:
    """Whether it is another form of a key that is pinned already: a new user id, another expiry."""
    return any(key.fingerprint == one.fingerprint for key in pinned)


def analyst(one: Analyst, cover: str | None, waiting: int) -> Shape:
    """One of `analyst list`."""
    return {
        "name": one.name, "email": one.address, "login": one.login, "queues": [q for q in one.queues.split(",") if q],
        "fingerprint": one.fingerprint or None, "away_until": one.away_until, "cover": cover, "waiting": waiting,
    }  # fmt: skip
