"""A case with hundreds of participants, so that a person still sees who needs them: what is shown, what is folded.

JSON is complete whatever stands here, and `--all` shows everything.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

import click

from mailrouter.case.model import Deadline, Participant, Waiting
from mailrouter.store.views import CaseFile

FEW = 12  # participants who are all shown
MOST = 20  # rows of anything else
HEADERS = ("turn", "progress", "how many")
TROUBLED = ("undeliverable", "disputed", "non-responsive", "suspected")
STUCK = ("held", "failed")


def counts(file: CaseFile, words: Mapping[Waiting, str]) -> list[tuple[str, str, str]]:
    """Everybody, by turn and progress; the most first."""
    found = Counter((words[p.waiting_on], _progress(p)) for p in file.participants)
    return [(turn, progress, str(number)) for (turn, progress), number in found.most_common()]


def _progress(one: Participant) -> str:
    return one.progress if one.takes_part else "left"


def needing(file: CaseFile) -> list[Participant]:
    """Who waits on us, is in trouble, or has a letter that does not leave; our turn first."""
    stuck = {letter.id for letter in file.letters.values() if letter.state in STUCK}
    whose = {m.participant_id for m in file.messages if m.letter_id in stuck}
    found = [p for p in file.participants if p.takes_part and _needs(p, whose)]
    return sorted(found, key=lambda p: (p.waiting_on is not Waiting.US, p.last_heard_at is None, p.last_heard_at))


def _needs(one: Participant, stuck: set[int | None]) -> bool:
    return one.waiting_on is Waiting.US or one.progress in TROUBLED or one.id in stuck


def next_deadlines(file: CaseFile, fold: int | None) -> Sequence[Deadline]:
    """All of them, while they are few; else those that fall due next."""
    if fold is None or len(file.deadlines) <= fold:
        return file.deadlines
    return [d for d in file.deadlines if d.done_at is None][:fold]


def folded(number: int, what: str) -> None:
    """Say that there are more."""
    if number > 0:
        click.echo(f"... and {number} {what} (`--all`)")
