"""Tables of moves, and the few lines that read them (DOMAIN.md, State models; the names of the Vultron protocol)."""

from mailrouter import faults

EMBARGO: dict[str, dict[str, str]] = {
    "propose": {"NONE": "PROPOSED", "PROPOSED": "PROPOSED"},
    "accept": {"PROPOSED": "ACTIVE", "REVISE": "ACTIVE"},
    "reject": {"PROPOSED": "NONE", "REVISE": "ACTIVE"},
    "revise": {"ACTIVE": "REVISE", "REVISE": "REVISE"},
    "terminate": {"ACTIVE": "EXITED", "REVISE": "EXITED"},
}

CONSENT: dict[str, dict[str, str]] = {
    "invite": dict.fromkeys(("NO_EMBARGO", "LAPSED", "DECLINED"), "INVITED"),
    "accept": dict.fromkeys(("NO_EMBARGO", "INVITED", "LAPSED"), "SIGNATORY"),
    "decline": dict.fromkeys(("NO_EMBARGO", "INVITED", "LAPSED"), "DECLINED"),
    "revise": {"SIGNATORY": "LAPSED"},
    "reset": dict.fromkeys(("NO_EMBARGO", "INVITED", "LAPSED", "DECLINED", "SIGNATORY"), "NO_EMBARGO"),
}

CASE: dict[str, dict[str, str]] = {
    "close": {"open": "closed", "published": "closed"},
    "reopen": {"closed": "open"},
}


def move(table: dict[str, dict[str, str]], verb: str, state: str) -> str:
    """The state after `verb`; `Illegal` names the move that is not allowed."""
    after = table[verb].get(state)
    if after is None:
        raise faults.Illegal(f"cannot {verb}: the state is {state}")
    return after
