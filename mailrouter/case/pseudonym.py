"""What a participant is called towards the others of its case: `Vendor KTRV`.

Promises: neither the order in which they came nor how many there are can be read from it (testbook A02); no letter of
it makes a word. The letters are the caller's, chosen with `secrets`.
"""

import re
from collections.abc import Callable, Collection

LETTERS = "BCDFGHJKLMNPQRSTVWXYZ"  # no vowels
LENGTH = 4  # 194,481 codes to a word
WORDS = {"vendor": "Vendor", "downstream": "Vendor", "reporter": "Reporter", "coordinator": "Coordinator"}
PATTERN = re.compile(rf"(?:{'|'.join(sorted(set(WORDS.values())))}) [{LETTERS}]{{{LENGTH}}}")


def make(role: str, choose: Callable[[str], str], taken: Collection[str]) -> str:
    """A new one for who takes part as `role`. `choose`: one letter of those it is given; `taken`: the case's others."""
    codes = {one.rpartition(" ")[2] for one in taken}  # a code is one participant's, whatever word stands before it
    while True:
        code = "".join(choose(LETTERS) for _ in range(LENGTH))
        if code not in codes:
            return f"{WORDS[role]} {code}"
