"""Carry out a plan inside the caller's transaction. Sends nothing itself: letters are rows.

Every order has one function here; what it did stands in the case's journal.
"""

from mailrouter.flow.act.doing import Arrived, Doing, Due, Later, News
from mailrouter.flow.act.life import anew, closed, comes_to_its_end, goes_on
from mailrouter.flow.act.mails import report_filed
from mailrouter.flow.act.said import statement_row, supersede
from mailrouter.flow.act.table import asked, asking, carry_out, nobodys_turn, perform

__all__ = [
    "Arrived",
    "Doing",
    "Due",
    "Later",
    "News",
    "anew",
    "asked",
    "asking",
    "carry_out",
    "closed",
    "comes_to_its_end",
    "goes_on",
    "nobodys_turn",
    "perform",
    "report_filed",
    "statement_row",
    "supersede",
]
