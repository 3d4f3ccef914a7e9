"""What we promise a reporter whose report we take up: about their name, asked apart for vendors and for the note.

Both are no until they say yes (seeds 001: "if you wish to remain anonymous"; DOMAIN.md, process 3 and 12).
"""

NAMED = "You told us that vendors may learn your name. If that changes, tell us: what has left us we cannot take back."
UNNAMED = (
    "We tell no vendor who reported it. Towards them you have a pseudonym, and what we pass on of yours leaves without"
    " your name and address. Please keep them out of the files that you send us, too."
)
CREDITED = "You told us that our note may name you. Please tell us how: which name, and of which organisation, if any."
NOT_CREDITED = "You told us that our note is not to name you. It will not, unless you tell us otherwise."
CREDIT_ASKED = (
    "Shall our note name you, if we publish one? Until you say yes, it names nobody. If you do, please tell us which"
    " name, and of which organisation, if any."
)
SENTENCES = (NAMED, UNNAMED, CREDITED, NOT_CREDITED, CREDIT_ASKED)


def named(*, share_name: bool) -> str:
    """What vendors learn of who reported it."""
    return NAMED if share_name else UNNAMED


def credited(*, credit: bool, said: bool) -> str:
    """What the note says of them; `said`: they answered that question."""
    if not said:
        return CREDIT_ASKED
    return CREDITED if credit else NOT_CREDITED
