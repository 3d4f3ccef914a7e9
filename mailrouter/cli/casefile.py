"""A case as people read it, on 100 columns: whose turn it is and the next letter first, then everything else."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

import click

from mailrouter.case import answers, calendar, status
from mailrouter.case import terms as rules
from mailrouter.case.model import Case, Deadline, DeadlineKind, Participant, Waiting
from mailrouter.case.policy import own
from mailrouter.cli import crowd, shapes, show
from mailrouter.store.messages import Message
from mailrouter.store.proposals import Proposal
from mailrouter.store.views import CaseFile
from mailrouter.store.vulnerabilities import VendorStatus

TURN = {Waiting.THEM: "their turn", Waiting.US: "OUR TURN", Waiting.NOBODY: "nobody's"}
DUE = {
    DeadlineKind.FOLLOW_UP: "follow-up {rung} to {who}",
    DeadlineKind.ANSWER: "we owe {who} an answer",
    DeadlineKind.WAIT: "{who} was to be waited for until then",
    DeadlineKind.NON_RESPONSIVE: "{who} may count as non-responsive",
    DeadlineKind.PUBLICATION: "planned publication",
    DeadlineKind.EMBARGO: "the embargo ends",
    DeadlineKind.TERMS: "a proposed embargo date lapses",
    DeadlineKind.DRAFT: "the draft of the note",
    DeadlineKind.ALERT: "alert to downstream vendors",
    DeadlineKind.REMINDER: "reminder to silent vendors",
    DeadlineKind.RECORD: "CVE records are to be public",
    DeadlineKind.APPROVAL: "the published note is to be approved",
    DeadlineKind.CLOSE: "is anything still open",
    DeadlineKind.DECISION: "the report waits for a decision",
}
WIDTH = 100  # columns
MOST_PROPOSED = 20  # shown with a case; `proposal list` has all
UNSENT = ("queued", "held", "failed")


def show_case(file: CaseFile, *, everything: bool = True) -> None:
    """All of it; without `everything` what is much is folded, and says so."""
    fold = crowd.MOST if not everything else None
    _head(file)
    _turns(file, fold)
    _unsent(file, fold)
    show_messages(file, file.messages, fold)
    _statements(file)
    show_proposals(file.proposals)
    show_relays(file)
    _deadlines(file, fold)
    _remarks(file)
    _elsewhere(file)


def _head(file: CaseFile) -> None:
    case = file.case
    click.echo(f"VU#{case.vu}  {show.short(case.title, 84)}")
    state = [case.state + (", urgent" if case.urgent else ""), show.short(case.analyst, 16) or "no analyst"]
    state.append(f"opened {case.opened_at:%Y-%m-%d}")
    if case.embargo != "NONE":
        word = "on" if case.embargo == "EXITED" else "until"
        ends = f" {word} {case.embargo_ends_at:%Y-%m-%d}" if case.embargo_ends_at else ""
        state.append(f"embargo {case.embargo.lower()}{ends}")
    if file.merged_into is not None:
        state.append(f"merged into VU#{file.merged_into}: it goes on there")
    state += [f"{what} since {at:%Y-%m-%d}" for what, at in _public(case) if at is not None]
    if case.planned_at:
        state.append(f"publication planned {case.planned_at:%Y-%m-%d}")
    click.echo(_in_lines([show.visible(one) for one in state]))
    if mine := own(case):
        click.echo(show.short("numbers of its own: " + ", ".join(f"{name} {n}" for name, n in mine.items()), 100))
    _embargo(file)
    _described(file)


def _embargo(file: CaseFile) -> None:
    """Once somebody answered, or another date was proposed: how many are bound; `embargo show` has all of it."""
    if file.case.embargo not in rules.ALIVE:
        return
    agreed, first = rules.in_force(file.terms), rules.stands(file.terms)
    counted = Counter(agreed.answer_of(p.id) for p in file.participants if p.takes_part) if agreed else Counter()
    if not (first or rules.negotiated(file.terms) or any(counted[answer] for answer in rules.ANSWERS)):
        return
    said = [f"{counted[answer]} {answer}" for answer in (*rules.ANSWERS, rules.INVITED) if counted[answer]]
    parts = [f"embargo date {agreed.number}: {', '.join(said) or 'nobody asked'}"] if agreed else []
    parts += [f"date {first.number} is proposed: {first.ends_at:%Y-%m-%d %H:%M} UTC"] if first else []
    click.echo(_in_lines(parts))


def _in_lines(parts: Sequence[str]) -> str:
    """Joined by semicolons; a new line where the next part would lie beyond the width."""
    lines: list[str] = []
    for part in parts:
        if lines and len(lines[-1]) + len(part) + len("; ;") <= WIDTH:
            lines[-1] += f"; {part}"
        else:
            lines.append(part)
    return ";\n".join(lines)


def _described(file: CaseFile) -> None:
    """Which version vendors are told, and who has it."""
    newest = file.description
    if newest is None:
        return
    has = Counter(p.described for p in file.participants if p.is_vendor)
    held = "; ".join(f"{has[n]} have {f'version {n}' if n else 'none'}" for n in sorted(has, reverse=True))
    waits = sum(p.promised > p.described for p in file.participants)
    more = f"; {waits} wait for a key" if waits else ""
    click.echo(f"description: version {newest.version} of {newest.made_at:%Y-%m-%d}; vendors: {held or 'none'}{more}")


def _public(case: Case) -> tuple[tuple[str, datetime | None], ...]:
    """What the world knows, and since when."""
    return ("public", case.public_at), ("exploit public", case.exploit_public_at), ("attacks", case.attacks_at)


def _section(title: str) -> None:
    click.echo(f"\n{title}")


# ---- whose turn --------------------------------------------------------------------------------------------------


def _turns(file: CaseFile, fold: int | None) -> None:
    _section("Whose turn")
    few = fold is None or len(file.participants) <= crowd.FEW
    if not few:
        show.table(crowd.HEADERS, crowd.counts(file, TURN), "")
        click.echo("\nWho needs somebody")
    rows = [
        (
            TURN[p.waiting_on],
            show.short(p.name, 16),
            p.pseudonym.rpartition(" ")[2],
            roles(p),
            show.short(_progress(file, p), 16),
            _day(p.last_heard_at),
            next_of(file, p),
        )
        for p in (file.participants if few else crowd.needing(file)[:fold])
    ]
    nobody = "Nobody takes part yet." if few else "Nobody."
    show.table(("turn", "participant", "called", "role", "progress", "last heard", "next"), rows, nobody)
    if not few:
        crowd.folded(len(file.participants) - len(rows), "other participants")
    coming = file.next_deadline()
    click.echo(
        f"\nNext: {show.short(due(file, coming), 76)}, {show.when(coming.due_at)}"
        if coming
        else "\nNext: nothing is due."
    )


def _progress(file: CaseFile, one: Participant) -> str:
    """What happened with them; once they say something, that first."""
    if not one.takes_part:
        return f"left {one.left_at:%Y-%m-%d}"
    said = shapes.overall(file, one)
    if said in (None, status.UNKNOWN):
        return one.progress
    return str(said) if one.progress == "answered" else f"{said}, {one.progress}"


def statuses(file: CaseFile, one: Participant) -> list[tuple[str, str]]:
    """What they say of each vulnerability, as fields."""
    return [(f"VU#{file.case.vu}.{said.number}", _said(said)) for said in file.statuses.get(one.id, ())]


def _said(said: VendorStatus) -> str:
    words = [said.status, f"fixed in {said.fixed_in}" if said.fixed_in else "", said.why.replace("\n", " ")]
    return show.short("; ".join(word for word in words if word), 80)


def roles(participant: Participant) -> str:
    """All it is in the case, the leading one first."""
    return ", ".join(participant.roles)


def _day(instant: datetime | None) -> str:
    return f"{instant:%Y-%m-%d}" if instant else ""


def next_of(file: CaseFile, participant: Participant) -> str:
    """What falls due with one participant, and when."""
    coming = file.next_deadline(participant)
    if coming is None:
        return ""
    what = f"follow-up {coming.rung}" if coming.kind is DeadlineKind.FOLLOW_UP else str(coming.kind)
    return f"{what} {coming.due_at:%Y-%m-%d}"


def due(file: CaseFile, deadline: Deadline) -> str:
    """A deadline in words."""
    whose = file.participant(deadline.participant_id)
    what = DUE[deadline.kind].format(rung=deadline.rung, who=whose.name if whose else "?")
    to = _to(file, deadline) if deadline.done_at is None else []
    return show.visible(f"{what}: {to[0].name if len(to) == 1 else len(to)}" if to else what)


def _to(file: CaseFile, deadline: Deadline) -> list[Participant]:
    """Whom a clock of the case would write to as things are."""
    match deadline.kind:
        case DeadlineKind.REMINDER:
            return [one for one in file.participants if calendar.is_silent(one, reachable=True)]
        case DeadlineKind.ALERT:
            return calendar.below_silent(file.participants)
        case DeadlineKind.DRAFT:
            return [one for one in file.participants if calendar.sees_draft(one) and one.id not in file.drafts]
    return []


def _unsent(file: CaseFile, fold: int | None) -> None:
    """Letters that have not left: a person may have to do something. Those that only wait their turn come last."""
    names = {m.letter_id: file.participant(m.participant_id) for m in file.messages if m.letter_id is not None}
    unsent = sorted((le for le in file.letters.values() if le.state in UNSENT), key=lambda le: le.state == "queued")
    for letter in unsent[:fold]:
        whose = names.get(letter.id)
        why = f": {letter.why}" if letter.why else ""
        who = f" to {whose.name}" if whose else ""
        click.echo(show.short(f"Letter {letter.id} ({letter.name}){who} is {letter.state}{why}", 100))
    crowd.folded(len(unsent[fold:]) if fold else 0, "letters have not left either: `mailrouter outbox list`")


# ---- everything else ---------------------------------------------------------------------------------------------


def show_messages(file: CaseFile, messages: Sequence[Message], fold: int | None = None) -> None:
    """Mails, letters and conversations, one a line; the newest, if there are more than `fold`."""
    _section("Messages")
    newest = messages[-fold:] if fold else messages
    crowd.folded(len(messages) - len(newest), "older ones")
    headers = ("id", "when (UTC)", "", "whose", "what we know", "subject")
    show.table(headers, (_message(file, m) for m in newest), "None.")


def _message(file: CaseFile, one: Message) -> tuple[object, ...]:
    whose = file.participant(one.participant_id)
    name = whose.name if whose else one.sender
    return (
        one.id,
        one.received_at,
        _arrow(one),
        show.short(name, 18),
        show.short(_known(file, one), 22),
        _subject(file, one),
    )


def _arrow(one: Message) -> str:
    if one.direction == "out":
        return "->"
    return "<-" if one.mail_id is not None else "::"


def _subject(file: CaseFile, one: Message) -> str:
    """Without the number that every subject of the case has; of a conversation, what was said."""
    said = one.note if one.mail_id is None and one.note else one.subject
    return show.short(said.replace(f"[VU#{file.case.vu}] ", ""), 26)


def _known(file: CaseFile, one: Message) -> str:
    letter = file.letters.get(one.letter_id) if one.letter_id is not None else None
    if letter is not None:
        words = [letter.state, "encrypted" if letter.encrypted else "signed" if letter.signed else ""]
    elif one.mail_id is None:
        words = [one.kind, f"by {one.vouched_by}"]
    elif shapes.is_automated(one):
        words = [one.kind]
    else:
        words = [one.standing, one.assurance, "encrypted" if one.encrypted else "", one.flags.replace(" ", ", ")]
    return ", ".join(word for word in words if word)


def _statements(file: CaseFile) -> None:
    _section("Statements")
    rows = [
        (
            show.short(s.vendor, 18),
            s.state,
            "bound" if s.bound else "not bound",
            show.short(s.approved_by, 12),
            s.received_at,
            show.short(s.reason, 22),
        )
        for s in file.statements
    ]
    show.table(("vendor", "state", "VU#", "approved by", "received (UTC)", "why"), rows, "None.")


def show_proposals(open_ones: Sequence[Proposal]) -> None:
    """What mails say and nobody has decided about, and the command that takes it; nothing when there is none."""
    if not open_ones:
        return
    _section("They say, for you to take")
    rows = ((one.id, show.short(one.participant, 20), one.message_id, _says(one)) for one in open_ones[:MOST_PROPOSED])
    show.table(("id", "participant", "message", "says"), rows, "")
    if len(open_ones) > MOST_PROPOSED:
        more = len(open_ones) - MOST_PROPOSED
        click.echo(f"… and {more} more: mailrouter proposal list VU#{open_ones[0].vu}")
    click.echo(f"Take: mailrouter proposal take ID…, or --message {open_ones[0].message_id}")


def _says(one: Proposal) -> str:
    return show.short(answers.line(one.what, one.value, one.vulnerability), 60)


def _deadlines(file: CaseFile, fold: int | None) -> None:
    _section("Deadlines")
    chosen = crowd.next_deadlines(file, fold)
    rows = (
        (
            d.due_at,
            show.short(due(file, d), 44),
            "" if d.done_at is None else show.short(f"{show.when(d.done_at)} {d.outcome}", 36),
        )
        for d in chosen
    )
    show.table(("due (UTC)", "what", "done"), rows, "None.")
    crowd.folded(len(file.deadlines) - len(chosen), "others, done or later")


def _remarks(file: CaseFile) -> None:
    if file.remarks:
        _section("Remarks")
    for remark in file.remarks:
        click.echo(f"{show.when(remark.received_at)}  {show.cell(remark.sender)}")
        _indented(remark.note.split("\n"))


def show_relays(file: CaseFile, participant: Participant | None = None) -> None:
    """What was passed on of whose mail to whom; nothing when nothing was."""
    made = shapes.relays(file, participant.id if participant else None)
    if made:
        _section("Passed on")
        rows = (
            (one["message"], one["at"], show.short(str(one["from"]), 20), show.short(str(one["to"]), 20), one["letter"])
            for one in made
        )
        show.table(("message", "when (UTC)", "of", "to", "letter"), rows, "")


def _indented(lines: Iterable[str]) -> None:
    for line in lines:
        click.echo(show.visible(f"  {line}").rstrip())


def _elsewhere(file: CaseFile) -> None:
    """Mails that name the case and are not filed with it: a VU# never authorises."""
    for one in file.elsewhere:
        said = f"Not filed: message {one.id} in {one.place} names this case ({one.why})"
        click.echo("\n" + show.short(said, 100))
