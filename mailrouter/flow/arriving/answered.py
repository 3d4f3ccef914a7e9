"""What a mail answers, as data: the lines of the answer form in its text, words of its sender's that say that the world
knows, and their own reference in its subject.

The form is looked for only in people's mail, in the text that is read anyway; of mail that is signed or encrypted, in
what was signed or decrypted. A line that is filled in where a letter of ours is quoted counts only if the mail answers
that very letter, and the letter left the line empty: otherwise it was said before, by them or by somebody else.
"""

from collections.abc import Sequence

from sqlalchemy import Connection

from mailrouter.case import cveid
from mailrouter.case.answers import Said, Source, What
from mailrouter.case.model import Case, Participant
from mailrouter.mail import answerform, parse, publicwords, quote, theirref, words
from mailrouter.mail.answerform import Lines
from mailrouter.mail.parse import Mail
from mailrouter.mail.pgpmime import Opened, Verdict
from mailrouter.store import messages, outbox, vulnerabilities


def lines(mail: Mail, opened: Opened) -> Lines:
    """Its text line by line, each new or quoted; none when no line can be one of the form. Needs no transaction."""
    shown = _shown(mail, opened)
    if isinstance(shown, str):
        return answerform.apart(shown)
    plain = any(part.content_type == "text/plain" for part in shown.parts)
    if plain or not shown.html:
        return answerform.apart(shown.text)
    reply = quote.split_html(shown.html)
    return answerform.in_two(reply.visible, reply.hidden)


def _shown(mail: Mail, opened: Opened) -> Mail | str:
    """What was opened, when that is the whole mail; else the mail as it came."""
    whole = opened.decrypted == "ok" or (opened.verdict is Verdict.GOOD and opened.covers == "all")
    if opened.content is None or not whole:
        return mail
    if opened.content_is_entity:
        return parse.mail(opened.content)
    return words.paragraphs(words.decode(opened.content, opened.charset, []))


def said(
    tx: Connection, mail: Mail, opened: Opened, form: Lines, case: Case | None, participant: Participant | None
) -> tuple[Said, ...]:
    """What it says, as the case's participant `participant`."""
    if case is None or participant is None:
        return ()
    filled = answerform.read_lines(form, case.vu, _by_id(tx, form, case))
    if any(one.source is Source.QUOTED for one in filled):
        asked = _asked(tx, mail.in_reply_to, case, participant)
        filled = tuple(one for one in filled if one.source is not Source.QUOTED or one.what in asked)
    filled = _identified(tx, form, filled, case)
    named = {one.what for one in filled}
    world = tuple(one for one in publicwords.read(form) if one.what not in named)
    return (*filled, *world, *_reference(mail, opened, case, participant))


def _by_id(tx: Connection, form: Lines, case: Case) -> dict[str, int]:
    """Which vulnerability has which CVE ID: asked only of a text with one in it."""
    if not cveid.find("\n".join(text for text, _ in form)):
        return {}
    return {one.cve: one.number for one in vulnerabilities.of_case(tx, case.id) if one.cve}


def _identified(tx: Connection, form: Lines, filled: tuple[Said, ...], case: Case) -> tuple[Said, ...]:
    """A CVE ID that the case has says nothing new; one that stands alone in their text may be what they assigned."""
    lines = [one for one in filled if one.what is What.CVE]
    free = cveid.find("\n".join(text for text, new in form if new)) if not lines else ()
    if not lines and len(free) != 1:
        return filled
    known = {one.cve for one in vulnerabilities.of_case(tx, case.id)}
    kept = tuple(one for one in filled if one.what is not What.CVE or one.value not in known)
    alone = tuple(Said(What.CVE, one, 0, Source.OUTSIDE) for one in free if one not in known)
    return kept + alone


def _asked(tx: Connection, answers: Sequence[str], case: Case, participant: Participant) -> frozenset[What]:
    """Which lines the letter that is answered left empty; none if it answers no letter of ours to them."""
    named = messages.referred(tx, answers[:1])
    ours = (one.letter_id for one in named if one.direction == "out" and one.participant_id == participant.id)
    letter_id = next((one for one in ours if one is not None), None)
    return frozenset() if letter_id is None else answerform.asked(outbox.get(tx, letter_id).body, case.vu)


def _reference(mail: Mail, opened: Opened, case: Case, participant: Participant) -> tuple[Said, ...]:
    """Their own, if it is another than is recorded: in the signed subject, else in the one outside."""
    inside = opened.protected_subject or ""
    for subject, source in ((inside, Source.OWN), (mail.subject, Source.OUTSIDE)):
        if found := theirref.proposed(subject, participant.their_ref, case.title):
            return (Said(What.THEIR_REF, found, 0, source),)
    return ()
