"""Tell a registered contact what we made of a mail: signed, encrypted if they have a key, seldom.

Promises: rows are made in the transaction that receives the mail, with its cases locked and the turn of its vendors
taken, so that two nodes never tell the same twice; a batch costs one query when nobody is owed a letter, and none when
nobody may be. For mails that are no statements, an address gets at most one letter within `policy.acknowledge_hours`;
about statements that are held, an organisation at most one a day, however many cases they name; each statement that
stands has its own. Of what came encrypted, text and digest alike go only to whoever proved that they wrote all of it
(testbook P105, P106), in a letter that leaves encrypted or not at all. No clock moves, and nobody's turn changes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from mailrouter import faults, logs
from mailrouter.case import receipt
from mailrouter.case.conditions import Assurance
from mailrouter.case.receipt import Facts, Kind
from mailrouter.flow import act, letters
from mailrouter.mail import confirmation
from mailrouter.mail.entity import Attachment
from mailrouter.store import contacts, journal, receipts
from mailrouter.store.contacts import PinnedKey
from mailrouter.tools import Tools

DAY = timedelta(days=1)
OF_A_TEXT = (Kind.STANDS, Kind.HELD)
LONGEST = 64 * 1024  # bytes of a text that is repeated


@dataclass(slots=True)
class _Lately:
    """When who was told what last, this batch included."""

    period: timedelta
    now: datetime
    held: dict[int, datetime] = field(default_factory=dict)  # organisation -> of a statement that is held
    anything: dict[str, datetime] = field(default_factory=dict)  # address -> of any mail

    def silences(self, due: act.Due) -> bool:
        """Whether this one has had its letter."""
        match due.order.kind:
            case Kind.HELD:
                return self._within(DAY, self.held.get(due.order.participant.organisation_id))
            case Kind.ANSWER:
                return self._within(self.period, self.anything.get(due.order.writer))
            case _:
                return False

    def _within(self, time: timedelta, last: datetime | None) -> bool:
        return last is not None and self.now - last < time

    def add(self, told: receipts.Told) -> None:
        """They have it."""
        self.anything[told.recipient] = max(told.made_at, self.anything.get(told.recipient, told.made_at))
        if told.name == receipts.HELD:
            last = self.held.get(told.organisation_id, told.made_at)
            self.held[told.organisation_id] = max(told.made_at, last)


def with_key(tools: Tools) -> Tools | None:
    """The tools with our key looked up, outside any transaction; None when there is none to sign with, or no need.

    Mail is received all the same: a receipt is worth less than the mail it is about.
    """
    if not tools.settings.policy.acknowledge_hours:
        return None
    try:
        key = tools.own_key()
    except (faults.Refused, faults.TryLater) as trouble:
        logs.failed("receipts.key", trouble)
        return None
    return replace(tools, own_key=lambda: key)


def batch(tx: Connection, tools: Tools | None, later: act.Later, now: datetime) -> set[int]:
    """Queue the letters that a batch of mails is owed. `tools`: of `with_key`.

    Returns the mails whose senders are told in this way or were told lately: they get no acknowledgement.
    """
    owed = later.receipts
    if tools is None or not owed:
        return set()
    lately = _lately(tx, tools, owed, now)
    if not all(map(lately.silences, owed)):
        receipts.take_turn(tx, _organisations(owed))
        lately = _lately(tx, tools, owed, now)  # another node may have told them meanwhile
    for due in owed:
        if not lately.silences(due) and (recipient := _queue(tx, tools, due, later, now)):
            lately.add(receipts.Told(due.order.participant.organisation_id, recipient, _name(due), now))
    return {due.mail.mail_id for due in owed if due.order.claimed and due.order.claimed == _recipient(tx, due).lower()}


def _recipient(tx: Connection, due: act.Due) -> str:
    """Who is told: whoever certainly wrote; else their first contact, '' if none takes mail."""
    return due.order.writer or contacts.address_for(tx, due.order.participant.organisation_id) or ""


def _lately(tx: Connection, tools: Tools, owed: Sequence[act.Due], now: datetime) -> _Lately:
    lately = _Lately(timedelta(hours=tools.settings.policy.acknowledge_hours), now)
    for told in receipts.lately(tx, _organisations(owed), now - max(lately.period, DAY), now):
        lately.add(told)
    return lately


def _organisations(owed: Sequence[act.Due]) -> set[int]:
    return {due.order.participant.organisation_id for due in owed}


def _name(due: act.Due) -> str:
    return receipts.HELD if due.order.kind is Kind.HELD else receipts.RECEIPT


def _queue(tx: Connection, tools: Tools, due: act.Due, later: act.Later, now: datetime) -> str:
    """The address that it goes to; '' if there is none."""
    order = due.order
    recipient = _recipient(tx, due)
    if not recipient:
        return ""  # there is nobody to be told; the analyst sees the mail
    keys = contacts.keys_of(tx, [order.participant.organisation_id], retired=True)
    told = _told(due, can_encrypt=any(key.usable(now) for key in keys))
    secret = bool(told.sha256) and _came_encrypted(due)
    letter = letters.Order(
        name=_name(due), values=_values(due, keys, told), step=f"{_name(due)}:{due.mail.message_id}",
        confidential=secret, only_encrypted=secret, thread=_thread(due), recipient=recipient,
        attachments=[Attachment(f"VU{due.case.vu}.txt", told.text)] if told.text else (),
    )  # fmt: skip
    letter_id = letters.to_participant(tx, tools, due.case, order.participant, letter, now)
    if letter_id is not None:
        about = {"letter": letter_id, "name": letter.name, "participant": order.participant.id}
        note = journal.Note(journal.case_chain(due.case.id), now, "letter.queued", "mailrouter", about)
        later.notes.append(note)
    return recipient


@dataclass(frozen=True, slots=True)
class _Told:
    """What of a statement's text the letter says: all of it, its digest, or nothing."""

    text: bytes = b""
    sha256: str = ""


def _told(due: act.Due, *, can_encrypt: bool) -> _Told:
    """The exact text and its digest go to whoever certainly wrote; nobody else could tell what the digest is of.

    Of what came encrypted, either tells what it says: anybody can send a ciphertext of somebody else's, and a digest is
    as good as a short text to whoever guesses. So both only for a proof of authorship, and never in clear.
    """
    if due.order.kind not in OF_A_TEXT or (_came_encrypted(due) and not (can_encrypt and _proved_whole(due))):
        return _Told()
    text: bytes = due.mail.statement.get("verbatim", b"")
    if not due.order.writer or not text.strip():
        return _Told()
    return _Told(text if len(text) <= LONGEST else b"", due.mail.sha256_of_text())


def _came_encrypted(due: act.Due) -> bool:
    return bool(due.mail.row["encrypted"])


def _proved_whole(due: act.Due) -> bool:
    return due.order.assurance is Assurance.VERIFIED and due.mail.row["decrypted"] == "ok"


def _thread(due: act.Due) -> letters.Thread:
    """Only of who certainly wrote it: nobody else chooses what our letters answer."""
    named = due.mail.row["message_id"] if due.order.writer else None
    return letters.Thread(f"<{named}>", (f"<{named}>",)) if named else letters.Thread()


def _values(due: act.Due, keys: Sequence[PinnedKey], told: _Told) -> dict[str, str]:
    row, order = due.mail.row, due.order
    signer = next((key for key in keys if key.fingerprint == row["fingerprint"]), None)
    facts = Facts(
        kind=order.kind, vu=due.case.vu, vendor=order.participant.name, assurance=order.assurance,
        verdict=str(row["verdict"]), lack=order.lack, fingerprint=_grouped(signer.fingerprint) if signer else "",
        signed_at=row["signed_at"], expired_at=signer.expires_at if signer else None,
        has_key=any(key.retired_at is None for key in keys), unreadable=row["decrypted"] == "fail",
        repeated=bool(told.text),
    )  # fmt: skip
    said = receipt.words(facts)
    return {
        "received": letters.minute(row["received_at"]), "sender": order.claimed, "proved": said.proved,
        "becomes": said.becomes, "missing": said.missing, "remedy": said.remedy,
        "sha256": told.sha256,
        "quoted": confirmation.barred(told.text.decode("utf-8", "replace")) if told.text else "",
    }  # fmt: skip


def _grouped(fingerprint: str) -> str:
    return " ".join(fingerprint[i : i + 4] for i in range(0, len(fingerprint), 4))
