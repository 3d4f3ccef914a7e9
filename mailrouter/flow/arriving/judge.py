"""Hold a mail against what the database knows: which case, who wrote it, what is proved, what it is meant as.

Everything here happens inside the transaction that acts on it, with the batch's cases locked, so that a judgement is
never older than what it changes.
"""

from collections.abc import Callable
from dataclasses import replace

from sqlalchemy import Connection

from mailrouter.case.events import ClearText, MailArrived, Meant, Routed
from mailrouter.case.model import Case, Participant, Place
from mailrouter.case.plan import REPORTS
from mailrouter.case.standing import Evidence, Standing, assurance, sender_organisation, standing, suspicion
from mailrouter.case.standing import parse as parse_standing
from mailrouter.flow import analystmail
from mailrouter.flow.arriving import answered, confirmed, copies, drafted, offers, ties, weigh
from mailrouter.flow.arriving.lookup import Known, Read, Vouched
from mailrouter.mail import cleartext, mime, route, statement
from mailrouter.store import cases, statements
from mailrouter.tools import Tools


def judge(tx: Connection, tools: Tools, read: Read, known: Known, vouched: Vouched | None = None) -> MailArrived:
    """What the plan must know of this mail."""
    if vouched is None and (asked := _asked(read, known)):
        return _order(tx, read, known, asked)
    kind, doubt = _nature(read, known)
    tie = known.ours.tie(read.hints) if kind != "person" else None
    routed = _routed(read, known, vouched, tie)
    case = known.cases.get(routed.case_id) if routed.case_id else None
    evidence = weigh.evidence(tx, tools, read, known, case)
    routed, as_reporter = _by_its_reporter(read, known, evidence, routed)
    participant = _participant(tx, evidence, known, case, vouched)
    counts_for = participant.organisation_id if participant else None
    evidence = replace(evidence, in_case=case is not None, participant_organisation_id=counts_for)
    taken = "" if vouched else weigh.came_before(tx, read, evidence, participant)
    level = Standing.STRANGER if taken else standing(evidence)
    trusted = level >= parse_standing(tools.settings.trust.answers_from)
    vouched_for = vouched is not None and vouched.participant_id is not None
    if vouched_for or (doubt and level is Standing.SIGNED):
        kind, doubt = "person", ""
    copy_of = None if vouched else _copy_of(tx, read, known, case, participant, level)
    signed = weigh.signed(tx, read, known, case, participant, copy=copy_of is not None)
    lacks = weigh.lacks(read.opened, evidence)
    meant = _meant(read, lacks) if participant else None
    doubted = bool(doubt or suspicion(evidence, read.sender.malformed))
    last = statements.last_made(tx, participant.id, but=known.message_before(read)) if meant and participant else None
    counts = (trusted and not doubt and not signed.came_before) or vouched_for
    worth = assurance(evidence)
    about_text = confirmed.asked(known.ours, read.hints, participant)
    return MailArrived(
        since=f"mail:{read.item.mail_id}",
        routed=routed,
        kind=kind,
        doubt=doubt,
        standing=max(level, Standing.CLAIMED) if vouched and participant else max(level, as_reporter),
        assurance=worth,
        lacks=lacks,
        counts=counts,
        case=case,
        participant=participant,
        signed=signed,
        meant=meant,
        signed_after_latest=not weigh.older(read.opened, last),
        stranger_why=taken or weigh.stranger(read, evidence, known, case, participant),
        captured=taken,
        about=ties.about(tx, tie, case, read.mail, read.automated) if tie else None,
        clear_text=_clear_text(
            read,
            lambda p: vouched_for or (counts and not doubted and weigh.surely(read, known, p, level, signed)),
            participant,
            proved=vouched_for or level >= Standing.AUTHENTICATED,
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
        draft=drafted.answer(tx, read, known, participant) if kind == "person" else None,
        unaddressed=None if vouched or participant or kind != "person" or doubt else _unaddressed(tx, read, known),
    )


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


def _clear_text(
    read: Read, surely: Callable[[Participant], bool], participant: Participant | None, *, proved: bool
) -> ClearText | None:
    """What it says of clear text, and whether its sender surely does."""
    if participant is None or not cleartext.may_say(read.raw_words):
        return None
    allowed = cleartext.said(read.words.decode("utf-8", "replace"))
    return None if allowed is None else ClearText(allowed, surely(participant), proved)


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
    return not (told_not_to or looked_at or weigh.internal(tools, read.sender.address, known))


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


def _by_its_reporter(read: Read, known: Known, evidence: Evidence, routed: Routed) -> tuple[Routed, Standing]:
    """A mail about a report joins it only if its reporter wrote it; anybody can name a VRF#."""
    was, before = known.report_before(read), known.before.get(read.item.mail_id)  # looked at again, it is what it was
    if was is not None and routed.place is Place.TRIAGE and (routed.case_id, routed.report) == (None, None):
        routed = replace(routed, report=was)
    if was is not None and before and before.place == Place.TRIAGE and routed.place in (Place.TRIAGE, Place.REVIEW):
        return replace(routed, place=Place.TRIAGE, report=was), weigh.reporter(read, known, evidence, was)
    report = routed.report
    if report is None:
        return routed, Standing.STRANGER
    level = weigh.reporter(read, known, evidence, report)
    if report.rm == route.NUMBER_ONLY:
        return replace(routed, report=None if level is Standing.STRANGER else report), Standing.STRANGER
    if level is not Standing.STRANGER:
        return routed, level
    why = f"names {report.vrf}, and is not from who reported it: `mailrouter message route ID {report.vrf}` adds it"
    return Routed(place=Place.REVIEW, why=why, claimed_vu=routed.claimed_vu), level


def _participant(
    tx: Connection, evidence: Evidence, known: Known, case: Case | None, vouched: Vouched | None
) -> Participant | None:
    if case is None:
        return None
    if vouched and vouched.participant_id:
        return cases.participant(tx, vouched.participant_id)
    speaks_for = sender_organisation(evidence)
    return known.participants.get((case.id, speaks_for)) if speaks_for else None


def _meant(read: Read, lacks: str) -> Meant | None:
    if not read.meant:
        return None
    text = read.words
    return Meant(not statement.verbatim(text).strip(), statement.holds_quotes(text), lacks)
