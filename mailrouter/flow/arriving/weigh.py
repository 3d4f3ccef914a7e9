"""Who wrote a mail, and what is proved of it: the evidence, what its signature is worth in a case, and the words."""

from datetime import datetime, timedelta

from sqlalchemy import Connection

from mailrouter.case.conditions import Signed, lacking
from mailrouter.case.model import Case, Participant, Report
from mailrouter.case.standing import Assurance, Evidence, Standing, assurance, sender_organisation, suspicion
from mailrouter.flow import signing
from mailrouter.flow.arriving import captured
from mailrouter.flow.arriving.lookup import Known, Read
from mailrouter.mail import authenticate, pgpmime, route, statement
from mailrouter.mail.ownaddress import Reply
from mailrouter.store import contacts
from mailrouter.tools import Tools

STALE = timedelta(days=30)  # testbook/pgp.md, Verdicts, condition 4


def evidence(tx: Connection, tools: Tools, read: Read, known: Known, case: Case | None) -> Evidence:
    """What is known of its sender, before it is held against the case's participants."""
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


def stranger(read: Read, evidence: Evidence, known: Known, case: Case | None, participant: Participant | None) -> str:
    """Why a mail that names a case is not filed with it, in plain words."""
    if doubt := suspicion(evidence, read.sender.malformed):
        return doubt
    if sender_organisation(evidence) is None:
        pinned = "; it is signed by a key pinned to another" if assurance(evidence) is Assurance.OTHER_SIGNER else ""
        return "a stranger names the case" + pinned
    if participant is None and case is not None and (case.id, sender_organisation(evidence)) in known.left:
        return "its sender takes part in the case no more"
    if participant is None:
        return "its sender is no participant of the case"
    return "from a participant's mail domain, but from no registered address, and it answers no letter of ours"


def signed(
    tx: Connection, read: Read, known: Known, case: Case | None, participant: Participant | None, *, copy: bool
) -> Signed:
    """What a good signature is worth for this case, beyond who made it."""
    opened, mail_id = read.opened, read.item.mail_id
    if opened.verdict is not pgpmime.Verdict.GOOD or case is None or participant is None:
        return Signed()
    again = "" if copy else signing.came_before(tx, opened, case, participant, mail_id, known.message_before(read))
    return Signed(
        bound=bound(read, case),
        stale=older(opened, read.item.envelope.received_at - STALE),
        replay=again == "replay",
        repeated=again == "repeated",
    )


def lacks(opened: pgpmime.Opened, evidence: Evidence) -> str:
    """What its signature lacks to be worth anything here; in GnuPG's words where it is GnuPG that found it lacking."""
    lack = lacking(evidence)
    if lack is None:
        return ""
    return opened.reason if lack.costs is Assurance.INVALID and opened.reason else lack.reason


def bound(read: Read, case: Case) -> bool:
    """Whether what is well signed names this case."""
    if read.opened.verdict is not pgpmime.Verdict.GOOD:
        return False
    return statement.binds(read.words, read.opened.protected_subject or "", case.vu)


def came_before(tx: Connection, read: Read, evidence: Evidence, participant: Participant | None) -> str:
    """Why its ciphertext makes it a stranger's; '' mostly, and of what is well signed."""
    if assurance(evidence) is Assurance.VERIFIED:
        return ""
    return captured.before(tx, read.opened.ciphertext, read.item.mail_id, read.sender, participant)


def surely(read: Read, known: Known, participant: Participant, level: Standing, signed: Signed) -> bool:
    """Whether more than a name says that this participant wrote it: evidence of the transport, a signature made for
    this case, or our reply address from one of their registered ones. Our address stands in letters that left in clear:
    alone it makes no mail count that does not count as an answer.
    """
    speaker = known.speakers.get(read.sender.address)
    registered = speaker is not None and speaker.organisation_id == participant.organisation_id
    given = (known.ours.given.get(claim) for claim in read.hints.claims if isinstance(claim, Reply))
    proved = level is Standing.AUTHENTICATED or (level is Standing.SIGNED and not signed.flags)
    return not signed.came_before and (proved or (registered and participant.id in given))


def older(opened: pgpmime.Opened, than: datetime | None) -> bool:
    """Whether it was signed before that."""
    return opened.signed_at is not None and than is not None and opened.signed_at < than


def reporter(read: Read, known: Known, seen: Evidence, report: Report) -> Standing:
    """How much we may believe that who reported it wrote this, by the ideas that hold for participants.

    The address it came from is registered by that, as long as nobody else says so; a letter of ours about it that is
    answered from the same mail domain will do as well. Anybody else is a stranger: a VRF# routes, it never authorises.
    """
    if seen.internal or not seen.well_formed or not _was_given(read, known, report):
        return Standing.STRANGER
    same = read.sender.address == report.address
    return Standing.AUTHENTICATED if same and seen.transport_pass else Standing.CLAIMED


def given_before(read: Read, known: Known) -> Report | None:
    """The number that the sender was given before and names again, or answers a letter about: whatever became of it."""
    return next((one for one in route.reports(read.hints, known.found) if _was_given(read, known, one)), None)


def _was_given(read: Read, known: Known, report: Report) -> bool:
    """Whether this number was given to who wrote this: by what the mail shows alone."""
    if not report.address or read.sender.address == report.address:
        return bool(report.address)
    same_domain = read.sender.address.rpartition("@")[2] == report.address.rpartition("@")[2]
    answers = (known.found.written.get(one) for one in read.hints.references)
    return same_domain and any(one is not None and one.id == report.id for one in answers)
