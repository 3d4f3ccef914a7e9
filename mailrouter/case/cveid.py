"""CVE IDs: what one looks like, and where one stands in a text. A number names a vulnerability; it proves nothing."""

import re

from mailrouter import faults

_ID = r"CVE-((?:1999|20[0-9]{2})-[0-9]{4,19})"  # cve-schema: cveId
_WHOLE = re.compile(_ID, re.IGNORECASE | re.ASCII)
_WITHIN = re.compile(rf"(?<![0-9A-Za-z_-]){_ID}(?![0-9A-Za-z_])", re.IGNORECASE | re.ASCII)
_CWE = re.compile(r"(?:CWE-)?([1-9][0-9]{0,4})", re.IGNORECASE | re.ASCII)


def read(text: str) -> str:
    """The CVE ID a person typed, canonical. `Refused` for anything else."""
    match = _WHOLE.fullmatch(text.strip())
    if match is None:
        raise faults.Refused("a CVE ID is written CVE-2026-12345")
    return f"CVE-{match[1]}"


def find(text: str) -> tuple[str, ...]:
    """Every different CVE ID in the text, canonical, in order of first appearance; linear in the text."""
    return tuple(dict.fromkeys(f"CVE-{found}" for found in _WITHIN.findall(text)))


def read_cwe(text: str) -> str:
    """The weakness a person typed, `CWE-79` or `79`, canonical. `Refused` for anything else."""
    match = _CWE.fullmatch(text.strip())
    if match is None:
        raise faults.Refused("a weakness is written CWE-79")
    return f"CWE-{match[1]}"
