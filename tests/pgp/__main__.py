"""`python -m tests.pgp`: table P of the testbook, row by row, as this engine and this gpg decide it now."""

import subprocess
import sys
import tempfile
from pathlib import Path

from tabulate import tabulate

from mailrouter.pgp import Pgp
from tests.pgp.cases import CASES
from tests.pgp.elsewhere import ELSEWHERE
from tests.pgp.keys import Keymaker
from tests.pgp.table import WRONG, rows


def main() -> int:
    """Print the table; 1 when a row is not as required."""
    with tempfile.TemporaryDirectory(prefix="mrt", dir="/tmp") as folder:
        home = Path(folder) / "m"
        home.mkdir(mode=0o700)
        keymaker, pgp = Keymaker(home), Pgp(Path(folder) / "g", Path(folder) / "k")
        try:
            pgp._gpg().import_keys(keymaker.secret(keymaker.cert.fingerprint))
            found = rows(CASES, pgp, keymaker)
        finally:
            pgp.close()
            subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=False, timeout=30)
    print(tabulate(found, headers=["id", "mail", "verdict", "required"], tablefmt="simple", disable_numparse=True))
    print("\nWhat more than opening a mail decides, and the tests that hold it:\n")
    print(tabulate(ELSEWHERE, headers=["id", "mail", "tests/", "required"], tablefmt="simple", disable_numparse=True))
    wrong = sum(1 for row in found if row[2].startswith(WRONG))
    print(f"{len(found)} mails of {len({row[0] for row in found})} rows, {wrong} not as required")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
