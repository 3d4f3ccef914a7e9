"""Letters before a publication: the draft of the note, the alert to downstream vendors, the reminder to silent ones.

Promises: of each draft one letter to each participant, which leaves encrypted or by recorded consent to clear text and
is not made for anybody else; of alerts and reminders one to each for each planned date. Works inside the caller's
transaction, with the case locked.
"""

from datetime import datetime

from sqlalchemy import Connection

from mailrouter.case import clocks, contacting, notediff
from mailrouter.case.actions import Write
from mailrouter.case.formats import text
from mailrouter.case.model import Case, Participant
from mailrouter.flow import details, letters, publisher
from mailrouter.mail.entity import Attachment
from mailrouter.store import contacts, drafts, notes
from mailrouter.store.notes import Revision
from mailrouter.tools import Tools

DRAFT = "draft"
AUTOMATIC = (clocks.REMINDER, clocks.ALERT)


def step(participant: Participant, letter: str, planned: datetime) -> str:
    """Of an alert or a reminder: once for each date."""
    return f"{participant.id}:{letter}:{planned:%Y-%m-%d}"


def automatic(tx: Connection, tools: Tools, case: Case, action: Write, now: datetime) -> int | None:
    """The alert or reminder; None if it was made for the date that is planned now."""
    assert case.planned_at is not None  # else no clock asks for it
    order = letters.Order(
        action.letter, {}, asks=action.letter == clocks.REMINDER,
        step=step(action.participant, action.letter, case.planned_at),
    )  # fmt: skip
    return letters.to_participant(tx, tools, case, action.participant, order, now)


# ---- the draft -------------------------------------------------------------------------------------------------------


def can_read(tx: Connection, participant: Participant, now: datetime) -> bool:
    """Whether a confidential letter to them may leave now."""
    keys = contacts.keys_of(tx, [participant.organisation_id], retired=True)
    return details.carries(participant, keys, now) in contacting.DETAILED


def draft(
    tx: Connection, tools: Tools, case: Case, participant: Participant, revision: Revision, now: datetime
) -> int | None:
    """The letter with this draft, to be called only for who can read it; None if they were shown it before."""
    shown = as_text(tools, revision)
    order = letters.Order(
        DRAFT, _values(tx, participant, revision) | {"body": shown}, confidential=True,
        step=f"{participant.id}:{DRAFT}:{revision.id}",
        attachments=[Attachment(f"vu-{case.vu}-draft-{revision.number}.{revision.draft}.txt", shown.encode(), TEXT)],
    )  # fmt: skip
    letter_id = letters.to_participant(tx, tools, case, participant, order, now)
    if letter_id is not None:
        drafts.add(tx, revision.id, participant.id, letter_id, now)
    return letter_id


TEXT = "text/plain"


def as_text(tools: Tools, revision: Revision) -> str:
    """The draft as people read it."""
    return text.of(revision.note, publisher.of(tools), draft=revision.name)


def _values(tx: Connection, participant: Participant, revision: Revision) -> dict[str, str]:
    cves = [one.cve for one in revision.note.vulnerabilities if one.cve]
    before = [one for one in drafts.of_participant(tx, participant.id) if one.revision_id != revision.id]
    was = notes.get(tx, before[-1].revision_id) if before else None
    return {
        "draft": revision.name, "cves": ", ".join(cves) or NO_CVE, "replaces": was.name if was else "",
        "items": f"{CHANGED}\n\n{changes(was, revision)}" if was else "",
    }  # fmt: skip


NO_CVE = "none assigned yet"
CHANGED = "What is new since the draft that you were shown:"
NOTHING = "Nothing that is shown."
MOST_LINES = 60
SENTENCES = (NO_CVE, CHANGED, NOTHING)  # that letters may hold


def changes(was: Revision, now: Revision) -> str:
    """What one draft says otherwise than another, in its text and its facts: lines gone and lines new."""
    text_of_both = notediff.text(was.text, now.text, ("", "")).split("\n")
    lines = [line for line in text_of_both if line[:1] in ("+", "-") and line.strip("+- ")]
    found = [f"  {line}" for line in (*lines, *notediff.changed(was.note, now.note))]
    more = [f"  … and {len(found) - MOST_LINES} lines more"] if len(found) > MOST_LINES else []
    return "\n".join([*found[:MOST_LINES], *more]) or NOTHING
