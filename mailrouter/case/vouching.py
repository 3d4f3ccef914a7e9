"""May a vendor's own word make a text its statement, without a signature? The rules, as tables; nothing is done here.

By mail: our letter returned the exact text to the registered contact; the answer comes from a registered contact of
that organisation, to the address only that letter gave, written by a person, and its own words confirm the text. By
telephone: one analyst called, a second one agrees (DOMAIN.md, process 6).
"""

from collections.abc import Callable
from dataclasses import dataclass

from mailrouter.case.model import Statement


@dataclass(frozen=True, slots=True)
class Answer:
    """A mail to a voucher's own address, held against what the voucher is about."""

    voucher_id: int
    asked: Statement  # as it is now
    sha256: str  # of the text that was put to them
    done: bool  # confirmed before
    elsewhere: bool  # the text was filed with another case or participant since
    registered: bool  # its From is a registered contact of that organisation
    person: bool  # no machine wrote it, and nothing makes that doubtful
    counts: bool  # of sufficient standing (`trust.answers_from`)
    sound: bool  # no signature in it proves less than it claims
    newer_stands: bool  # a statement made after this text stands
    replaced: bool = False  # they were asked again since, at another address
    unclear: str = ""  # why its own words do not confirm the text; '' when they do


_Refusal = tuple[str, Callable[[Answer], bool]]

# First match. The words stand in the queue, beside the answer.
_REFUSALS: tuple[_Refusal, ...] = (
    ("confirmed before", lambda answer: answer.done),
    ("they were asked again since: only the answer to the later letter counts", lambda answer: answer.replaced),
    ("the text we asked about is filed elsewhere now", lambda answer: answer.elsewhere),
    ("a machine wrote it, or may have", lambda answer: not answer.person),
    ("its sender is no registered contact of theirs", lambda answer: not answer.registered),
    ("its standing does not count as an answer", lambda answer: not answer.counts),
    ("its signature is not good", lambda answer: not answer.sound),
    ("the text we asked about has changed", lambda answer: answer.sha256 != answer.asked.sha256),
    ("the text we asked about is not held any more", lambda answer: answer.asked.state != "held"),
    ("a newer statement stands", lambda answer: answer.newer_stands),
)


def refusal(answer: Answer) -> str:
    """Why this answer makes no statement stand, in plain words; '' when it does."""
    return next((why for why, holds in _REFUSALS if holds(answer)), answer.unclear)


def newer_stands(text: Statement, standing: Statement | None) -> bool:
    """Whether what stands was made after this text: then the text is history, whoever vouches for it."""
    return standing is not None and standing.id != text.id and standing.made_at >= text.made_at


def may_not_agree(asked_by: str, agreeing: str) -> bool:
    """Two analysts are two people."""
    return asked_by.casefold() == agreeing.casefold()
