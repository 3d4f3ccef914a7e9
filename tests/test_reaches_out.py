"""Whom we talk to: the database, the relay, the configured mailboxes, and nobody a mail names (testbook S35)."""

import ast
from pathlib import Path
from types import ModuleType

import pytest

from mailrouter.pgp import runner, wrapper

ROOT = Path(__file__).parents[1] / "mailrouter"
FETCHERS = {"urllib.request", "http.client", "ftplib", "requests", "httpx", "aiohttp", "urllib3", "xmlrpc", "telnetlib"}


def imported(path: Path) -> set[str]:
    """Every module a file names in an import."""
    nodes = list(ast.walk(ast.parse(path.read_text("utf-8"))))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    named = [node for node in nodes if isinstance(node, ast.ImportFrom) and node.module]
    return plain | {f"{node.module}.{alias.name}" for node in named for alias in node.names} | {
        str(node.module) for node in named
    }  # fmt: skip


@pytest.mark.row("S35")
@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_key_url_or_page_is_fetched(path: Path) -> None:
    """There is nothing to switch on: no part of the program can ask for what a URL names. The CVE service's door asks
    the one address that the operator configured, and follows no other.
    """
    door = {"requests"} if path == ROOT / "cve.py" else set()
    assert imported(path) & FETCHERS == door


@pytest.mark.row("S35")
@pytest.mark.parametrize("option", ["--disable-dirmngr", "--no-auto-key-retrieve", "--no-auto-key-locate"])
@pytest.mark.parametrize("module", [runner, wrapper], ids=["opening", "sealing"])
def test_gpg_looks_for_no_key_either(module: ModuleType, option: str) -> None:
    assert f'"{option}"' in Path(str(module.__file__)).read_text("utf-8")
