"""Mutations of what gpg prints and of what it is given, seeded; and the plain rules a good signature must fulfil.

`FUZZ_SEED` repeats a run: the seed is printed, and stands in every failure.
"""

import os
import random
from collections.abc import Callable, Iterator
from itertools import pairwise

from mailrouter.mail.pgpmime import Verdict
from mailrouter.pgp import status

KEY, PRIMARY, ID = "A" * 40, "B" * 40, "A" * 16
VALID = f"VALIDSIG {KEY} 2026-01-01 1767225600 0 4 0 22 10 00 {PRIMARY}"
GOOD = ["NEWSIG psirt@vendor.example", f"KEY_CONSIDERED {PRIMARY} 0", f"SIG_ID {'x' * 27} 2026-01-01 1767225600",
        f"GOODSIG {ID} Vendor PSIRT <psirt@vendor.example>", VALID]  # fmt: skip
ERRSIG = f"ERRSIG {ID} 22 10 00 1767225600 9 {KEY}"
BEFORE = [f"ENC_TO {ID} 18 0", f"KEY_CONSIDERED {PRIMARY} 0", f"DECRYPTION_KEY {KEY} {PRIMARY} u", "BEGIN_DECRYPTION",
          "DECRYPTION_INFO 2 9 0"]  # fmt: skip
PLAINTEXT = ["PLAINTEXT 62 1767225600 name", "PLAINTEXT_LENGTH 9"]
AFTER = ["DECRYPTION_OKAY", "GOODMDC", "END_DECRYPTION"]
BEGINNINGS = {
    "detached": [GOOD, [GOOD[0], f"BADSIG {ID} x"], [GOOD[0], ERRSIG, f"NO_PUBKEY {ID}"], [*GOOD, *GOOD]],
    "plain": [[*PLAINTEXT, *GOOD], PLAINTEXT, [*PLAINTEXT, GOOD[0], ERRSIG, f"NO_PUBKEY {ID}"]],
    "decrypted": [[*BEFORE, *PLAINTEXT, *GOOD, *AFTER], [*BEFORE, *PLAINTEXT, *AFTER],
                  [*BEFORE[:4], "DECRYPTION_INFO 0 9 2", *PLAINTEXT, *GOOD, *AFTER]],
}  # fmt: skip
FORBIDDEN = {
    "BADSIG", "ERRSIG", "EXPSIG", "EXPKEYSIG", "REVKEYSIG", "KEYREVOKED", "NO_PUBKEY", "NODATA", "UNEXPECTED",
    "FAILURE", "ERROR", "BADARMOR",
}  # fmt: skip
POOL = [
    *GOOD, *BEFORE, *PLAINTEXT, *AFTER, ERRSIG, f"BADSIG {ID} x", f"EXPSIG {ID} x", f"EXPKEYSIG {ID} x",
    f"REVKEYSIG {ID} x", f"NO_PUBKEY {ID}", "NODATA 1", "UNEXPECTED 0", "BADARMOR", "BADMDC", "FAILURE verify 1",
    "KEYREVOKED", "ERROR verify.leave 1", "NOTATION_DATA x", "DECRYPTION_FAILED", "TRUST_ULTIMATE 0 pgp",
    VALID.replace(PRIMARY, "C" * 40), VALID.replace(" 10 00 ", " 2 00 "), VALID.replace(" 00 ", " 1F "), "HELLO",
]  # fmt: skip
BREAKS = [b"\n", b"\r", b"\r\n", b"\x0b", b"\x0c", b"\x85", "\u2028".encode(), b"\0", b" ", b"\t", b"\\n", b"%0A"]
PREFIX = b"[GNUPG:] "


def chance() -> tuple[int, random.Random]:
    """A seed, printed, and what comes of it."""
    seed = int(os.environ.get("FUZZ_SEED") or random.SystemRandom().getrandbits(48))
    print(f"FUZZ_SEED={seed}")
    return seed, random.Random(seed)


# ---- what gpg prints -----------------------------------------------------------------------------------------------


def _drop(lines: list[bytes], at: int, _: random.Random) -> None:
    del lines[at]


def _double(lines: list[bytes], at: int, _: random.Random) -> None:
    lines.insert(at, lines[at])


def _swap(lines: list[bytes], at: int, luck: random.Random) -> None:
    other = luck.randrange(len(lines))
    lines[at], lines[other] = lines[other], lines[at]


def _insert(lines: list[bytes], at: int, luck: random.Random) -> None:
    lines.insert(at, PREFIX + luck.choice(POOL).encode())


def _within(lines: list[bytes], at: int, luck: random.Random) -> None:
    """A line inside a line, after something that somebody takes for its end."""
    place = luck.randrange(len(lines[at]) + 1)
    inner = luck.choice(BREAKS) + PREFIX + luck.choice(POOL).encode() + luck.choice([b"", *BREAKS])
    lines[at] = lines[at][:place] + inner + lines[at][place:]


def _bytes(lines: list[bytes], at: int, luck: random.Random) -> None:
    lines[at] = mutated(lines[at], luck)


def _word(lines: list[bytes], at: int, luck: random.Random) -> None:
    """Another keyword, the same arguments."""
    words = lines[at].split(b" ", 2)
    lines[at] = b" ".join([words[0], luck.choice(POOL).split(" ")[0].encode(), *words[2:]])


def _field(lines: list[bytes], at: int, luck: random.Random) -> None:
    """Two fields change places, or one is left out."""
    words = lines[at].split(b" ")
    one, other = luck.randrange(len(words)), luck.randrange(len(words))
    words[one], words[other] = words[other], words[one]
    lines[at] = b" ".join(words[:one] if luck.random() < 0.2 else words)


LINE_MUTATIONS: tuple[Callable[[list[bytes], int, random.Random], None], ...] = (
    _drop, _double, _swap, _insert, _insert, _within, _bytes, _word, _field,
)  # fmt: skip


def stream(luck: random.Random) -> tuple[str, bytes, int]:
    """Which question gpg was asked, its mutated answer, and its exit status."""
    kind = luck.choice(list(BEGINNINGS))
    lines = [PREFIX + line.encode() for line in luck.choice(BEGINNINGS[kind])]
    for _ in range(luck.choice([0, 1, 1, 1, 2, 2, 3, 5])):
        if lines:
            luck.choice(LINE_MUTATIONS)(lines, luck.randrange(len(lines)), luck)
    ending = luck.choice([b"\n"] * 20 + [b"", b"\r\n", b"\n\n"])
    return kind, b"\n".join(lines) + ending, luck.choice([0, 0, 0, 0, 1, 2])


def engine(kind: str, answer: bytes, code: int) -> str | None:
    """The fingerprint our reader finds proved in it; None: nothing is proved."""
    try:
        lines = status.read(answer)
    except (status.Garbage, status.Surprise):
        return None
    about = {"detached": lambda: lines, "plain": lambda: status.plain(lines, code),
             "decrypted": lambda: status.decrypted(lines, code)}[kind]()  # fmt: skip
    judged = status.signature(about, code) if about else status.NO_SIGNATURE
    return judged.fingerprint if judged.verdict is Verdict.GOOD else None


def oracle(kind: str, answer: bytes, code: int) -> str | None:
    """Conditions 2, 3 and 8 of the testbook in the plainest words, over bytes: the fingerprint, or None."""
    rows = [line.removeprefix(PREFIX).decode("latin-1").split(" ") for line in answer.split(b"\n") if line]
    said = [row[0] for row in rows]
    wanted = [word for word in said if word in {"NEWSIG", "GOODSIG", "VALIDSIG"}]
    if code != 0 or wanted != ["NEWSIG", "GOODSIG", "VALIDSIG"] or FORBIDDEN & set(said):
        return None
    order = {
        "detached": wanted,
        "plain": ["PLAINTEXT", *wanted],
        "decrypted": ["BEGIN_DECRYPTION", "PLAINTEXT", *wanted, "DECRYPTION_OKAY", "GOODMDC", "END_DECRYPTION"],
    }
    places = [said.index(word) if said.count(word) == 1 else -1 for word in order[kind]]
    if -1 in places or any(one > other for one, other in pairwise(places)):
        return None
    valid = rows[said.index("VALIDSIG")]
    hash_number, kind_of_signature, primary = valid[8:11] if len(valid) == 11 else ("", "", "")
    right = hash_number in {"8", "9", "10"} and kind_of_signature in {"00", "01"} and len(primary) == 40
    return primary if right else None


# ---- what gpg is given ---------------------------------------------------------------------------------------------


def mutated(content: bytes, luck: random.Random) -> bytes:
    """One change of some bytes: flipped, replaced, taken out, doubled, moved or put in."""
    if not content:
        return luck.randbytes(3)
    at, size = luck.randrange(len(content)), luck.choice([1, 1, 1, 2, 4, 16])
    piece, rest = content[at : at + size], content[at + size :]
    elsewhere = luck.randrange(len(content))
    new = luck.choice([
        bytes([piece[0] ^ 1 << luck.randrange(8)]) + piece[1:], luck.randbytes(len(piece)), b"", piece * 2,
        content[elsewhere : elsewhere + size], bytes(size), b"\xff" * size, b"\n" + piece, piece + luck.randbytes(1),
    ])  # fmt: skip
    return content[:at] + new + rest


def mutations(content: bytes, luck: random.Random) -> Iterator[bytes]:
    """Endless."""
    while True:
        changed = content
        for _ in range(luck.choice([1, 1, 1, 2, 3])):
            changed = mutated(changed, luck)
        yield changed
