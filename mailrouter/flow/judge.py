"""Hold a mail against what the database knows: which case, who wrote it, what is proved, what it is meant as.

Everything here happens inside the transaction that acts on it, with the batch's cases locked, so that a judgement is
never older than what it changes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property

from sqlalchemy import Connection

from mailrouter.case.conditions import Signed, lacking
from mailrouter.case.events import ClearText, MailArrived, Meant, Routed
from mailrouter.case.model import Case, Participant, Place
from mailrouter.case.plan import REPORTS
from mailrouter.case.standing import Assurance, Evidence, Standing, assurance, sender_organisation, standing, suspicion
from mailrouter.case.standing import parse as parse_standing
from mailrouter.flow import analystmail, answered, captured, confirmed, copies, offers, signing, ties
from mailrouter.mail import authenticate, automated, cleartext, mime, parse, pgpmime, route, statement, words
from mailrouter.mail.answerform import Lines
from mailrouter.mail.ownaddress import Reply
from mailrouter.store import analysts, cases, contacts, inbox, messages, statements
from mailrouter.tools import Tools

STALE = timedelta(days=30)  # testbook/pgp.md, Verdicts, condition 4


@dataclass(frozen=True)
class Read:
    """A mail after all that needs no transaction: parsed, opened, its sender named."""

    item: inbox.Item
    mail: parse.Mail
    opened: pgpmime.Opened
    sender: authenticate.Sender
    automated: automated.Automated
    hints: route.Hints
    brought: offers.Brought = offers.NOTHING  # keys that came with it
    form: Lines = ()  # its text line by line, if it may hold lines of the answer form

    @property
    def kind(self) -> str:
        """Who or what wrote it."""
        return str(self.automated.kind)

    @property
    def meant(self) -> bool:
        """Whether its sender means it as a Vendor Statement."""
        subject = self.opened.protected_subject or self.mail.subject
        return statement.meant(subject, self.raw_words, lambda: self.words)

    @property
    def text(self) -> str:
        """All that can be read of it, as people would; decrypted."""
        if self.opened.content is None:
            return self.mail.text
        if self.opened.content_is_entity:
            return parse.mail(self.opened.content, to_show=True).text
        return words.paragraphs(words.decode(self.opened.content, self.opened.charset, []))

    @property
    def raw_words(self) -> bytes:
        """Where its text is, transfer encoding and all."""
        return self.item.envelope.raw if self.opened.content is None else self.opened.content

    @cached_property
    def words(self) -> bytes:
        """The text a statement would be taken from: what was signed or decrypted if anything was, else all."""
        content = self.opened.content
        if content is None:
            return statement.text_of(self.item.envelope.raw)
        return statement.text_of(content) if self.opened.content_is_entity else content


@dataclass(frozen=True, slots=True)
class Vouched:
    """An analyst's word on a mail: this case, and perhaps that it is this participant's."""

    by: str
    case_id: int
    participant_id: int | None = None


@dataclass(slots=True)
class Known:
    """What the database knows about a batch. Participants and Message-IDs change as its mails are received."""

    found: route.Found
    cases: dict[int, Case]
    participants: dict[tuple[int, int], Participant]  # (case, organisation)
    speakers: dict[str, contacts.Speaker]
    staff: frozenset[str]  # which of the senders' addresses are analysts'
    seen: dict[str, set[int | None]]  # Message-ID -> the mails that carry it
    before: dict[int, messages.Message]  # mail id -> what an earlier look made of it
    ours: ties.Ours  # the addresses and letters of ours that the mails name


def look_up(tx: Connection, batch: Sequence[Read], vouched: Vouched | None = None) -> Known:
    """A few queries for the whole batch."""
    by_number = cases.ids_by_vu(tx, route.wanted_numbers([r.hints for r in batch]))
    references = messages.referred(tx, {m for r in batch for m in (*r.hints.references, r.mail.message_id) if m})
    answered = {r.message_id: r.case_id for r in references if r.direction == "out" and r.case_id}
    ours = ties.ours(tx, [(r.hints, r.kind) for r in batch], references)
    wanted = {*by_number.values(), *answered.values(), *ours.case_ids} | ({vouched.case_id} if vouched else set())
    locked = cases.lock(tx, wanted)
    taking_part = cases.participants_of(tx, list(locked))
    ours.prove_replies(by_number, taking_part)
    known = Known(
        found=route.Found({c.vu: c.id for c in locked.values()}, answered, ours.proved),
        cases=locked,
        participants={(p.case_id, p.organisation_id): p for p in taking_part},
        speakers=contacts.speakers(tx, [r.sender.address for r in batch]),
        staff=analysts.among(tx, {r.sender.address for r in batch}),
        seen={},
        before=messages.of_mails(tx, [r.item.mail_id for r in batch]),
        ours=ours,
    )
    for reference in references:
        known.seen.setdefault(reference.message_id, set()).add(reference.mail_id)
    return known


# ---- the judgement -------------------------------------------------------------------------------------------------


def judge(tx: Connection, tools: Tools, read: Read, known: Known, vouched: Vouched | None = None) -> MailArrived:
    """What the plan must know of this mail."""
    if vouched is None and (asked := _asked(read, known)):
        return _order(tx, read, known, asked)
    kind, doubt = _nature(read, known)
    tie = known.ours.tie(read.hints) if kind != "person" else None
    routed = _routed(read, known, vouched, tie)
    case = known.cases.get(routed.case_id) if routed.case_id else None
    evidence = _evidence(tx, tools, read, known, case)
    participant = _participant(tx, evidence, known, case, vouched)
    counts_for = participant.organisation_id if participant else None
    evidence = replace(evidence, in_case=case is not None, participant_organisation_id=counts_for)
    taken = "" if vouched else _captured(tx, read, evidence, participant)
    level = Standing.STRANGER if taken else standing(evidence)
    trusted = level >= parse_standing(tools.settings.trust.answers_from)
    vouched_for = vouched is not None and vouched.participant_id is not None
    if vouched_for or (doubt and level is Standing.SIGNED):
        kind, doubt = "person", ""
    copy_of = None if vouched else _copy_of(tx, read, known, case, participant, level)
    signed = _signed(tx, read, known, case, participant, copy=copy_of is not None)
    lacks = _lacks(read.opened, evidence)
    meant = _meant(read, lacks) if participant else None
    doubted = bool(doubt or suspicion(evidence, read.sender.malformed))
    last = statements.last_made(tx, participant.id, but=_before(read, known)) if meant and participant else None
    counts = (trusted and not doubt and not signed.came_before) or vouched_for
    worth = assurance(evidence)
    about_text = confirmed.asked(known.ours, read.hints, participant)
    return MailArrived(
        since=f"mail:{read.item.mail_id}",
        routed=routed,
        kind=kind,
        doubt=doubt,
        standing=max(level, Standing.CLAIMED) if vouched and participant else level,
        assurance=worth,
        lacks=lacks,
        counts=counts,
        case=case,
        participant=participant,
        signed=signed,
        meant=meant,
        signed_after_latest=not _older(read.opened, last),
        stranger_why=taken or _stranger(read, evidence, participant),
        captured=taken,
        about=ties.about(tx, tie, case, read.mail, read.automated) if tie else None,
        clear_text=_clear_text(
            read,
            lambda p: vouched_for or (counts and not doubted and _surely(read, known, p, level, signed)),
            participant,
        ),
        copy_of=copy_of,
        confirms=confirmed.answer(
            tx,
            about_text,
            read.words,
            worth,
            registered=evidence.organisation_id == counts_for,
            person=kind == "person" and not doubt,
            counts=counts,
        )
        if about_text
        else None,
        writer=read.sender.address if participant and evidence.organisation_id == counts_for else "",
        answerable=vouched is None and kind == "person" and not doubt and _answerable(tools, read, known),
        speaks_again=_speaks_again(read, known),
        suspicion="" if vouched and participant else taken or suspicion(evidence, read.sender.malformed),
        from_us=evidence.internal,
        says=answered.said(tx, read.mail, read.opened, read.form, case, participant) if kind == "person" else (),
        unaddressed=None if vouched or participant or kind != "person" or doubt else _unaddressed(tx, read, known),
    )


def _captured(tx: Connection, read: Read, evidence: Evidence, participant: Participant | None) -> str:
    if assurance(evidence) is Assurance.VERIFIED:
        return ""
    return captured.before(tx, read.opened.ciphertext, read.item.mail_id, read.sender, participant)


def _asked(read: Read, known: Known) -> analystmail.Asked | None:
    """The analyst's address it came to, unless it is a report, or is quarantined wherever it came."""
    aside = read.brought.secret or read.mail.beyond_limits or mime.elsewhere(read.mail.parts)
    return None if aside or read.kind in REPORTS else analystmail.asked(read.hints, known.ours.orders)


def _order(tx: Connection, read: Read, known: Known, asked: analystmail.Asked) -> MailArrived:
    """A mail to an analyst's address: whatever else it says of itself, it is nobody's answer."""
    order = analystmail.judged(tx, asked, read.item, read.sender, read.opened, read.automated, read.hints)
    return MailArrived(
        since=f"mail:{read.item.mail_id}",
        routed=Routed(place=Place.REVIEW),
        kind=read.kind if order.robot else "order",
        standing=Standing.STRANGER if order.refused or order.robot else Standing.SIGNED,
        assurance=analystmail.assurance(asked, read.opened),
        counts=False,
        case=known.cases.get(asked.case_id) if asked.case_id else None,
        order=order,
    )


def _unaddressed(tx: Connection, read: Read, known: Known) -> int | None:
    """The analyst who signed this mail now; it came to no address that they were given."""
    if read.sender.address not in known.staff or read.item.mail_id in known.before or read.automated.must_not_autoreply:
        return None
    return analystmail.signer(tx, read.item, read.sender, read.opened)


def _clear_text(read: Read, surely: Callable[[Participant], bool], participant: Participant | None) -> ClearText | None:
    """What it says of clear text, and whether its sender surely does."""
    if participant is None or not cleartext.may_say(read.raw_words):
        return None
    allowed = cleartext.said(read.words.decode("utf-8", "replace"))
    return None if allowed is None else ClearText(allowed, surely(participant))


def _surely(read: Read, known: Known, participant: Participant, level: Standing, signed: Signed) -> bool:
    """Whether more than a name says that this participant wrote it: evidence of the transport, a signature made for
    this case, or our reply address from one of their registered ones. Our address stands in letters that left in clear:
    alone it makes no mail count that does not count as an answer.
    """
    speaker = known.speakers.get(read.sender.address)
    registered = speaker is not None and speaker.organisation_id == participant.organisation_id
    given = (known.ours.given.get(claim) for claim in read.hints.claims if isinstance(claim, Reply))
    proved = level is Standing.AUTHENTICATED or (level is Standing.SIGNED and not signed.flags)
    return not signed.came_before and (proved or (registered and participant.id in given))


def _copy_of(
    tx: Connection, read: Read, known: Known, case: Case | None, participant: Participant | None, level: Standing
) -> int | None:
    """The message it already is, by another road."""
    named = known.seen.get(read.mail.message_id, set()) if read.mail.message_id else set()
    earlier = {mail_id for mail_id in named if mail_id is not None and mail_id != read.item.mail_id}
    lies = copies.Lies(None, None, level)
    if case is not None and participant is not None and level is not Standing.STRANGER:
        lies = copies.Lies(case.id, participant.id, level)
    return copies.of(tx, read.item, read.mail, earlier, lies)


def _nature(read: Read, known: Known) -> tuple[str, str]:
    """Who or what wrote it, and why that may be wrong."""
    if read.kind == "person" and known.ours.only_bounces(read.hints):
        return "automatic", "it came to where only bounces come back"
    return read.kind, read.automated.doubt


def _answerable(tools: Tools, read: Read, known: Known) -> bool:
    """Whether a machine may answer it at all (RFC 3834 section 2): nothing that could begin a loop, nothing twice."""
    told_not_to = read.automated.must_not_autoreply or read.item.envelope.sender in ("", "<>")
    looked_at = read.item.mail_id in known.before
    return not (told_not_to or looked_at or internal(tools, read.sender.address, known))


def _speaks_again(read: Read, known: Known) -> str:
    speaker = known.speakers.get(read.sender.address)
    return read.sender.address if speaker and speaker.undeliverable else ""


def _routed(read: Read, known: Known, vouched: Vouched | None, tie: ties.Tie | None) -> Routed:
    routed = route.choose(read.hints, known.found)
    if vouched:
        return Routed(case_id=vouched.case_id, claimed_vu=routed.claimed_vu)
    if read.brought.secret:
        named = known.cases.get(routed.case_id) if routed.case_id else None
        suggested = named.vu if named else routed.suggested_vu
        return Routed(None, Place.QUARANTINE, offers.EXPOSED, routed.claimed_vu, suggested)
    if read.mail.beyond_limits:
        why = "beyond a limit: " + ", ".join(d for d in read.mail.defects if d.startswith("over-limit"))
        return Routed(None, Place.QUARANTINE, why, routed.claimed_vu, routed.suggested_vu)
    if elsewhere := mime.elsewhere(read.mail.parts):
        why = f"{elsewhere}: a part of it lies elsewhere, and is not fetched"
        return Routed(None, Place.QUARANTINE, why, routed.claimed_vu, routed.suggested_vu)
    if tie and tie.proved and tie.letter.case_id:
        return Routed(case_id=tie.letter.case_id, claimed_vu=routed.claimed_vu)  # whatever a machine's subject names
    return routed


def _participant(
    tx: Connection, evidence: Evidence, known: Known, case: Case | None, vouched: Vouched | None
) -> Participant | None:
    if case is None:
        return None
    if vouched and vouched.participant_id:
        return cases.participant(tx, vouched.participant_id)
    speaks_for = sender_organisation(evidence)
    return known.participants.get((case.id, speaks_for)) if speaks_for else None


def _evidence(tx: Connection, tools: Tools, read: Read, known: Known, case: Case | None) -> Evidence:
    speaker = known.speakers.get(read.sender.address, contacts.Speaker(None, None))
    opened = read.opened
    return Evidence(
        well_formed=not read.sender.malformed,
        organisation_id=speaker.organisation_id,
        domain_organisation_id=speaker.domain_organisation_id,
        transport_pass=authenticate.transport_pass(read.mail, tools.settings.trust.authserv_id, read.sender.address),
        internal=internal(tools, read.sender.address, known),
        answers_us=case is not None and _answers_us(read, known, case, speaker),
        verdict=str(opened.verdict),
        covers=opened.covers,
        signer_organisation_id=_owner(tx, opened.fingerprint) if opened.verdict is pgpmime.Verdict.GOOD else None,
    )


def internal(tools: Tools, address: str, known: Known) -> bool:
    """Whether this From says that one of us wrote: an analyst, an address of ours, anybody of our mail domain."""
    identity = tools.settings.identity
    ours = {own.lower() for own in (identity.address, *identity.also)}
    domain = identity.address.rpartition("@")[2].lower()
    return address in known.staff or address in ours or address.rpartition("@")[2] == domain


def _answers_us(read: Read, known: Known, case: Case, speaker: contacts.Speaker) -> bool:
    """Whether it came to an address we gave its sender, or names a letter we wrote to them: not to another."""
    speaks_for = speaker.organisation_id or speaker.domain_organisation_id
    participant = known.participants.get((case.id, speaks_for)) if speaks_for else None
    named = (*read.hints.claims, *read.hints.references)
    return participant is not None and any(known.ours.given.get(one) == participant.id for one in named)


def _owner(tx: Connection, fingerprint: str) -> int | None:
    """Whose pinned key this is, by the full fingerprint of the primary key."""
    keys = contacts.keys_named(tx, fingerprint)
    return next((k.organisation_id for k in keys if k.fingerprint == fingerprint), None)


def _stranger(read: Read, evidence: Evidence, participant: Participant | None) -> str:
    """Why a mail that names a case is not filed with it, in plain words."""
    if doubt := suspicion(evidence, read.sender.malformed):
        return doubt
    if sender_organisation(evidence) is None:
        pinned = "; it is signed by a key pinned to another" if assurance(evidence) is Assurance.OTHER_SIGNER else ""
        return "a stranger names the case" + pinned
    if participant is None:
        return "its sender is no participant of the case"
    return "from a participant's mail domain, but from no registered address, and it answers no letter of ours"


def _signed(
    tx: Connection, read: Read, known: Known, case: Case | None, participant: Participant | None, *, copy: bool
) -> Signed:
    """What a good signature is worth for this case, beyond who made it."""
    opened, mail_id = read.opened, read.item.mail_id
    if opened.verdict is not pgpmime.Verdict.GOOD or case is None or participant is None:
        return Signed()
    again = "" if copy else signing.came_before(tx, opened, case, participant, mail_id, _before(read, known))
    return Signed(
        bound=bound(read, case),
        stale=_older(opened, read.item.envelope.received_at - STALE),
        replay=again == "replay",
        repeated=again == "repeated",
    )


def _lacks(opened: pgpmime.Opened, evidence: Evidence) -> str:
    """What its signature lacks to be worth anything here; in GnuPG's words where it is GnuPG that found it lacking."""
    lack = lacking(evidence)
    if lack is None:
        return ""
    return opened.reason if lack.costs is Assurance.INVALID and opened.reason else lack.reason


def _meant(read: Read, lacks: str) -> Meant | None:
    if not read.meant:
        return None
    return Meant(empty=not statement.verbatim(read.words).strip(), reason=lacks)


def _before(read: Read, known: Known) -> int | None:
    before = known.before.get(read.item.mail_id)
    return before.id if before else None


def bound(read: Read, case: Case) -> bool:
    """Whether what is well signed names this case."""
    if read.opened.verdict is not pgpmime.Verdict.GOOD:
        return False
    return statement.binds(read.words, read.opened.protected_subject or "", case.vu)


def _older(opened: pgpmime.Opened, than: datetime | None) -> bool:
    return opened.signed_at is not None and than is not None and opened.signed_at < than
