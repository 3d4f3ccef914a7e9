"""Loaded by the daemon's Python before anything else, when a test puts this folder into its PYTHONPATH (R19).

The parser has no known input that spins, swells or crashes; so it is given marks that make it: what is shown is what
the service makes of a parser that does, not that ours does. SPIN_SECONDS shortens the worker's limit of processor time.
"""

import ctypes
import os
import sys

if "multiprocessing" in " ".join(sys.orig_argv):  # the workers' parent alone
    from mailrouter import worker
    from mailrouter.mail import parse

    worker.CPU_SECONDS = float(os.environ["SPIN_SECONDS"])
    honest = parse.mail

    def poisoned(raw: bytes) -> parse.Mail:
        """As the real one, unless it is told otherwise."""
        if b"X-Poison: spins" in raw:
            while True:
                pass
        if b"X-Poison: swells" in raw:
            return honest(raw * 1_000_000_000)
        if b"X-Poison: crashes" in raw:
            ctypes.string_at(0)
        return honest(raw)

    parse.mail = poisoned
