"""The rows of table P that more than opening a mail decides: what is done, what is required, which tests hold it."""

from pathlib import Path
from typing import NamedTuple

TESTS = Path(__file__).parents[1]


class Elsewhere(NamedTuple):
    """One row; `held_by` is below tests/."""

    row: str
    mail: str
    held_by: str
    required: str


ELSEWHERE = (
    Elsewhere("P47", "a participant's message/partial, message/external-body", "flow/test_forms.py", "quarantine"),
    Elsewhere("P56", "a pinned key comes with another user id", "flow/test_offered.py", "no change until approved"),
    Elsewhere("P57", "Autocrypt, attached and other keys of a vendor", "flow/test_offered.py", "candidates only"),
    Elsewhere("P60", "imitated banners, terminal escapes, bidi", "pgp/test_table.py", "escaped"),
    Elsewhere("P78", "the key is retired before the mail is filed", "flow/test_kept.py", "decided once, logged"),
    Elsewhere("P91", "the same signature again in its case", "flow/test_statements.py", "no second change"),
    Elsewhere("P92", "the same signature in another case", "flow/test_statements.py", "REPLAY"),
    Elsewhere("P94", "signed before the statement that stands", "flow/test_statements.py", "not applied"),
    Elsewhere("P106", "a captured ciphertext from another sender", "flow/test_captured.py", "review, alert, no echo"),
    Elsewhere("P115", "a secret key in a mail", "flow/test_offered.py", "incident, never imported"),
    Elsewhere("P116", "a flood of signatures on a key", "pgp/test_keys.py", "refused"),
    Elsewhere("P117", "10,000 user ids, a photograph", "flow/test_offered.py", "refused, others go on"),
    Elsewhere("P118", "broken armor", "pgp/test_packets.py", "refused"),
    Elsewhere("P119", "a revocation by somebody else", "pgp/test_revocations.py", "an analyst decides"),
    Elsewhere("P120", "two keys of the same user id", "pgp/test_keys.py", "the pinned fingerprint"),
    Elsewhere("P121", "no usable key of the recipient", "flow/test_deliver.py", "held, never in clear"),
    Elsewhere("P122", "who can open a letter of ours", "pgp/test_keys.py", "that vendor and our archive key"),
    Elsewhere("P123", "what a letter quotes", "flow/test_going_out.py", "plain text"),
    Elsewhere("P124", "inner and outer subject differ", "flow/test_forms.py", "both shown, the signed one decides"),
    Elsewhere("P130", "mutated status streams and packets", "pgp/test_fuzz.py", "no false V"),
    Elsewhere("P131", "gpgv's and sq's opinion", "pgp/test_fuzz.py", "none that they refuse"),
)
