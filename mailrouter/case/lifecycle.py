"""Tables of moves, and the few lines that read them (DOMAIN.md, State models; the names of the Vultron protocol).

A table says for each move from which states it may be made, and to which state it leads; what is not there is not
allowed. `docs/moves.md` is drawn from these tables.
"""

from collections.abc import Collection, Iterable, Mapping

from mailrouter import faults
from mailrouter.case import status

Table = Mapping[str, Mapping[str, str]]

REPORT: Table = {  # RM: of a report, and of every participant's dealing with what it was told
    "receive": {"START": "RECEIVED"},
    "validate": {"RECEIVED": "VALID", "INVALID": "VALID"},
    "invalidate": {"RECEIVED": "INVALID"},
    "accept": {"VALID": "ACCEPTED", "DEFERRED": "ACCEPTED"},
    "defer": {"VALID": "DEFERRED", "ACCEPTED": "DEFERRED"},
    "close": dict.fromkeys(("INVALID", "ACCEPTED", "DEFERRED"), "CLOSED"),
}

EMBARGO: Table = {  # EM
    "propose": {"NONE": "PROPOSED", "PROPOSED": "PROPOSED"},
    "accept": {"PROPOSED": "ACTIVE", "REVISE": "ACTIVE"},
    "reject": {"PROPOSED": "NONE", "REVISE": "ACTIVE"},
    "revise": {"ACTIVE": "REVISE", "REVISE": "REVISE"},
    "terminate": {"ACTIVE": "EXITED", "REVISE": "EXITED"},
}

CONSENT: Table = {
    "invite": dict.fromkeys(("NO_EMBARGO", "LAPSED", "DECLINED"), "INVITED"),
    "accept": dict.fromkeys(("NO_EMBARGO", "INVITED", "LAPSED"), "SIGNATORY"),
    "decline": dict.fromkeys(("NO_EMBARGO", "INVITED", "LAPSED"), "DECLINED"),
    "revise": {"SIGNATORY": "LAPSED"},
    "reset": dict.fromkeys(("NO_EMBARGO", "INVITED", "LAPSED", "DECLINED", "SIGNATORY"), "NO_EMBARGO"),
}

VENDOR: Table = {  # CS of one vendor: aware, fix ready, fix deployed; a bit that is set is written large
    "aware": {"vfd": "Vfd"},
    "ready": {"Vfd": "VFd"},
    "deployed": {"VFd": "VFD"},
}

PUBLIC: Table = {  # CS of the case: public, exploit public, attacks seen; an exploit that is public makes both public
    "public": {"pxa": "Pxa", "pxA": "PxA"},
    "exploit": {"pxa": "PXa", "Pxa": "PXa", "pxA": "PXA", "PxA": "PXA"},
    "attacks": {"pxa": "pxA", "Pxa": "PxA", "PXa": "PXA"},
}

TERMS: Table = {  # a date for publication that somebody proposed
    "agree": {"proposed": "agreed"},
    "refuse": {"proposed": "refused"},
    "lapse": {"proposed": "lapsed"},
    "replace": {"proposed": "replaced", "agreed": "replaced"},
}

CASE: Table = {
    "publish": {"open": "published"},
    "close": {"open": "closed", "published": "closed"},
    "reopen": {"closed": "open"},
    "resume": {"closed": "published"},  # the same, of one whose note is published
    "merge": {"open": "merged"},
}

PROGRESS: Table = {  # what happened with a participant, so that silence is not shown as "Unknown"
    "suspect": {"not contacted": "suspected"},
    "confirm": {"suspected": "not contacted"},
    "contact": dict.fromkeys(("suspected", "not contacted"), "contacted"),
    "fail": dict.fromkeys(
        ("suspected", "not contacted", "contacted", "acknowledged", "non-responsive"), "undeliverable"
    ),
    "reach": {"undeliverable": "contacted"},
    "acknowledge": dict.fromkeys(  # also: what was taken for an answer says no more than that they have it
        ("suspected", "not contacted", "contacted", "undeliverable", "answered", "non-responsive"), "acknowledged"
    ),
    "answer": dict.fromkeys(
        ("suspected", "not contacted", "contacted", "undeliverable", "acknowledged", "answered", "non-responsive"),
        "answered",
    ),
    "dispute": dict.fromkeys(
        ("suspected", "not contacted", "contacted", "undeliverable", "acknowledged", "answered", "non-responsive"),
        "disputed",
    ),
    "settle": {"disputed": "answered"},
    "give up": dict.fromkeys(("contacted", "acknowledged", "answered"), "non-responsive"),
}

TABLES: Mapping[str, Table] = {
    "RM": REPORT,
    "EM": EMBARGO,
    "consent": CONSENT,
    "vendor": VENDOR,
    "public": PUBLIC,
    "terms": TERMS,
    "case": CASE,
    "progress": PROGRESS,
}


def move(table: Table, verb: str, state: str) -> str:
    """The state after `verb`; `Illegal` names the move that is not allowed, and those that are."""
    after = table[verb].get(state)
    if after is None:
        can = ", ".join(legal(table, state)) or "none"
        raise faults.Illegal(f"{verb!r} is no move from {state}; from there: {can}")
    return after


def legal(table: Table, state: str) -> list[str]:
    """The moves that may be made from `state`."""
    return [verb for verb, moves in table.items() if state in moves]


def follow(table: Table, verbs: Iterable[str], state: str) -> list[str]:
    """The states on the way when each of these moves that may be made then is made, in their order; `state` first."""
    way = [state]
    for verb in verbs:
        if (after := table[verb].get(way[-1])) is not None:
            way.append(after)
    return way


def states(table: Table) -> list[str]:
    """Every state of a table, in the order in which it names them."""
    named = (state for moves in table.values() for pair in moves.items() for state in pair)
    return list(dict.fromkeys(named))


# ---- what happened, as moves of RM: each is made if it may be --------------------------------------------------------

TOLD = ("receive",)  # the first letter to them left, or they wrote first
AFFECTED = ("receive", "validate", "accept")  # "it is real, and it is ours"; who reported it says so as well
NOT_THEIRS = ("receive", "invalidate", "defer")  # "it is none", or none of theirs: deferred when it was valid before
DONE_WITH = ("close",)  # the case is closed, or they leave it


def anew(said: Collection[str], *, reported: bool) -> list[str]:
    """RM of who comes back to what was CLOSED: no move leads out of it, so that a second dealing begins at its START.

    It is received at once, for they know of it; valid or not by what they `said` (vendor statuses), or `reported`.
    """
    verbs: tuple[str, ...] = TOLD
    if status.AFFECTED in said or reported:
        verbs = AFFECTED
    elif status.NOT_AFFECTED in said:
        verbs = NOT_THEIRS
    return ["CLOSED", *follow(REPORT, verbs, "START")]
