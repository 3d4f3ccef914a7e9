"""Table P of the testbook, one module for each kind of attack."""

from tests.pgp.cases import decryption, files, shapes, signatures, trust
from tests.pgp.table import Case

CASES: tuple[Case, ...] = tuple(
    sorted(
        (one for module in (signatures, shapes, files, trust, decryption) for one in module.CASES),
        key=lambda one: int(one.row[1:]),
    )
)
