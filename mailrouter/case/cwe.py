"""Official names of weaknesses, for documents that must give the name beside the id (CSAF 2.0, 6.1.11)."""

from functools import cache
from importlib.resources import files


def name(cwe: str) -> str:
    """The name of CWE-79; '' for an id that names no weakness, a category's or a deprecated one's."""
    return _names().get(cwe, "")


@cache
def _names() -> dict[str, str]:
    rows = (files("mailrouter.case") / "cwe.txt").read_text("utf-8").splitlines()
    pairs = (row.split(" ", 1) for row in rows if not row.startswith("#"))
    return {f"CWE-{number}": name for number, name in pairs}
