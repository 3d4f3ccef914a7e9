"""The independent judge of CSAF documents: a node process that lives as long as the tests of one worker."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.servers.wait import program, refuse_or_skip

FOLDER = Path(__file__).parents[1] / "validators"


class Judge:
    """Says what is wrong with a document."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def findings(self, document: Mapping[str, Any]) -> list[str]:
        """What the schema and the mandatory tests find; nothing for a valid document."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(document) + "\n")
        self._process.stdin.flush()
        found: list[str] = json.loads(self._process.stdout.readline())
        return found


@pytest.fixture(scope="session")
def csaf_judge() -> Iterator[Judge]:
    """Secvisogram's validator, as `.ci/servers` installs it."""
    node = program("node", "nodejs")
    if not (FOLDER / "node_modules" / "@secvisogram").is_dir():
        refuse_or_skip("the CSAF validator (npm ci --prefix tests/validators)")
    command = [node, FOLDER / "judge.mjs"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8") as process:
        yield Judge(process)
        assert process.stdin
        process.stdin.close()
        process.wait(30)
