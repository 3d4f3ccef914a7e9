"""What the database knows for the note of a case: its vulnerabilities and vendors, as they stand at this moment.

Promises: who takes part anonymously is not in it, nor is anything only they said; a statement is in it when an analyst
approved exactly its text, and it stands or is the last that did before one that waits for approval.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from mailrouter.case import note, statement, status
from mailrouter.case.model import Case, Participant, Statement
from mailrouter.case.note import Note, Sections
from mailrouter.mail import statement as statement_text
from mailrouter.mail import words as charsets
from mailrouter.store import cases, contacts, inbox, messages, notes, statements, vouchers, vulnerabilities
from mailrouter.store.notes import Addendum
from mailrouter.store.vouchers import Voucher
from mailrouter.store.vulnerabilities import VendorStatus, Vulnerability
from mailrouter.tools import Tools

# No page and no feed may hold them; a statement's SHA-256 is that of its bytes all the same.
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
SUSPECTED = "suspected"  # progress: not said to anybody, and not shown


def gather(tx: Connection, tools: Tools, case: Case, sections: Sections) -> Note:
    """The note with these sections and the facts of now."""
    everyone = cases.participants_of(tx, [case.id])
    flaws = vulnerabilities.of_case(tx, case.id)
    known = _known(tx, case, flaws, everyone)
    vendors = sorted((_vendor(tx, known, one) for one in everyone if shown(one)), key=lambda v: v.name.casefold())
    hidden = {one.organisation_id for one in everyone if one.anonymous}
    return Note(
        vu=case.vu,
        sections=sections,
        vulnerabilities=tuple(_vulnerability(tx, one, hidden) for one in flaws),
        vendors=tuple(vendors),
        public_at=case.public_at,
    )


def shown(one: Participant) -> bool:
    """Whether the note names this vendor."""
    return one.is_vendor and one.takes_part and not one.anonymous and one.progress != SUSPECTED


@dataclass(frozen=True, slots=True)
class _Known:
    """What is read at once for all vendors of a case, however many they are."""

    flaws: Sequence[Vulnerability]
    statuses: Mapping[int, Sequence[VendorStatus]]
    statements: Mapping[int, Statement]  # to be shown, by participant
    vouched: Mapping[int, Voucher]  # by statement
    addenda: Mapping[int, Addendum]


def _known(tx: Connection, case: Case, flaws: Sequence[Vulnerability], everyone: Iterable[Participant]) -> _Known:
    said: dict[int, list[VendorStatus]] = defaultdict(list)
    for one in vulnerabilities.statuses(tx, [case.id]):
        said[one.participant_id].append(one)
    stated: dict[int, list[Statement]] = defaultdict(list)
    for kept in statements.of_case(tx, case.id):
        stated[kept.participant_id].append(kept)
    shown = {participant_id: which for participant_id, of in stated.items() if (which := statement.approved(of))}
    ids = [which.id for which in shown.values()]
    return _Known(flaws, said, shown, vouchers.made_stand(tx, ids) if ids else {}, notes.added(tx, case.id))


def _vulnerability(tx: Connection, one: Vulnerability, hidden: set[int]) -> note.Vulnerability:
    named = one.cve_vendor_id is not None and one.cve_vendor_id not in hidden
    return note.Vulnerability(
        number=one.number, title=one.title, cve=one.cve, cve_source=one.cve_source,
        assigner=contacts.get(tx, one.cve_vendor_id).name if named and one.cve_vendor_id else "",
        cwe=one.cwe, cvss=one.cvss, text=one.text,
    )  # fmt: skip


def _vendor(tx: Connection, known: _Known, one: Participant) -> note.Vendor:
    said = {each.number: each for each in known.statuses.get(one.id, ())}
    statuses = tuple(_status(flaw.number, said.get(flaw.number)) for flaw in known.flaws)
    stated, addendum = known.statements.get(one.id), known.addenda.get(one.id)
    return note.Vendor(
        id=one.organisation_id, name=one.name, progress=one.progress,
        status=status.over_several(each.status for each in statuses), statuses=statuses,
        notified_at=one.first_contact_at, updated_at=_updated(said.values(), stated, addendum),
        statement=_statement(tx, known, stated) if stated else None,
        addendum=addendum.text if addendum else "", links=addendum.links if addendum else (),
    )  # fmt: skip


def _status(number: int, said: VendorStatus | None) -> note.Status:
    if said is None:
        return note.Status(number, status.UNKNOWN, "")
    return note.Status(number, said.status, printable(said.fixed_in))


def _updated(
    said: Iterable[VendorStatus], stated: Statement | None, addendum: Addendum | None
) -> datetime | None:  # fmt: skip
    """When anything shown of them changed last."""
    times = [each.updated_at for each in said]
    times += [stated.received_at] if stated else []
    return max([*times, addendum.updated_at] if addendum else times, default=None)


# ---- statements ------------------------------------------------------------------------------------------------------


def _statement(tx: Connection, known: _Known, one: Statement) -> note.Statement:
    by = known.vouched.get(one.id)
    vouched = one.state == "vouched" and by is not None
    return note.Statement(
        text=words(tx, one), made_at=one.made_at,
        proof=by.how if vouched and by else "signed",
        proved_at=(by.done_at if vouched and by else None) or one.made_at,
        fingerprint="" if vouched else one.fingerprint, sha256=one.sha256,
    )  # fmt: skip


def words(tx: Connection, one: Statement) -> str:
    """A statement's bytes as text: UTF-8, else what its mail says they are, else with what cannot be read marked.

    ESC begins another alphabet in some mails (ISO-2022-JP), though all of it is ASCII as well.
    """
    raw = one.verbatim
    plainly = _is_utf8(raw) and b"\x1b" not in raw
    return printable(charsets.decode(raw, "utf-8" if plainly else _declared(tx, one) or "utf-8", []))


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _declared(tx: Connection, one: Statement) -> str:
    mail_id = messages.get(tx, one.message_id).mail_id
    raw = one.signed_bytes if one.form == "mime" else inbox.raw(tx, mail_id) if mail_id is not None else b""
    return statement_text.charset_of(raw)


def printable(text: str) -> str:
    """Lines ended by LF; a control character, which no page may hold, is marked as what cannot be shown."""
    return _CONTROLS.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n")).strip("\n")
