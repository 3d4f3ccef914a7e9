"""The open corpus through `mailrouter inspect`: what may not be wrong is not, and the scores do not fall.

The corpus lies beside the checkout or where MAILROUTER_CORPUS says; without it the test is skipped, loudly.
"""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.servers.daemon import ROOT
from tests.servers.wait import refuse_or_skip

GIVEN = os.environ.get("MAILROUTER_CORPUS", "")  # read here: a fixture clears our variables for the tests themselves
# "crashes, lost bytes, wrong From or wrong verdicts as failures" (the corpus' README)
NEVER_WRONG = {
    "no_crash", "clean_unicode", "stored_exactly", "from", "kind", "is_bounce", "must_not_autoreply", "dsn_actions",
    "bounced_message_id", "failed_recipients", "in_reply_to", "references", "to", "pgp.verdict", "pgp.covers",
    "pgp.signer", "pgp.encrypted", "pgp.decryptable", "pgp.may_show_verified",
}  # fmt: skip
# Two projects can disagree on these; each that is wrong is named with its reason in docs/corpus.md, and no more may be.
AT_MOST = {
    "attachment_names": 1, "attachments": 14, "message_id": 1, "pgp.decrypted_text": 1, "pgp.effective_subject": 1,
    "reply_visible": 2, "subject": 1, "text": 2,
}  # fmt: skip


@pytest.fixture(scope="module")
def corpus() -> Path:
    """Its folder."""
    found = next((p for p in (Path(GIVEN or "/nowhere"), ROOT.parent / "shared" / "corpus") if p.is_dir()), None)
    if found is None:
        refuse_or_skip("the mail corpus (set MAILROUTER_CORPUS to its folder)")
    return found


@pytest.fixture(scope="module")
def manifest(corpus: Path) -> dict[str, Any]:
    return json.loads((corpus / "MANIFEST.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def results(corpus: Path, manifest: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One line a case, all of them read in one call."""
    keys = [str(corpus / file) for ring in manifest["keyrings"].values() for file in ring["files"]]
    files = [str(corpus / case["file"]) for case in manifest["cases"]]
    options = [word for key in keys for word in ("--secret-key", key)]
    done = subprocess.run(
        [sys.executable, "-m", "mailrouter", "inspect", *options, *files],
        capture_output=True, timeout=600, check=True, cwd=tmp_path_factory.mktemp("nowhere"),
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.stderr == b""
    path = tmp_path_factory.mktemp("corpus") / "results.jsonl"
    path.write_bytes(done.stdout)
    return path


def wrong(corpus: Path, results: Path) -> Iterator[tuple[str, str]]:
    """Field and case of everything `score` calls wrong."""
    score = [sys.executable, str(corpus / "score"), str(corpus / "MANIFEST.json"), str(results), "--show", "100000"]
    told = subprocess.run(score, capture_output=True, text=True, timeout=120, check=True).stdout
    for line in told.splitlines():
        if line and not line.startswith(" ") and "/" in line:
            field, case = line.split()[:2]
            yield field, case


def test_every_case_is_answered_once_in_order(corpus: Path, manifest: dict[str, Any], results: Path) -> None:
    ids = [json.loads(line)["id"] for line in results.read_text("ascii").splitlines()]
    assert ids == [str(corpus / case["file"]) for case in manifest["cases"]]


def test_what_may_not_be_wrong(corpus: Path, results: Path) -> None:
    assert [(field, case) for field, case in wrong(corpus, results) if field in NEVER_WRONG] == []


def test_the_scores_do_not_fall(corpus: Path, results: Path) -> None:
    counted = Counter(field for field, _case in wrong(corpus, results))
    worse = {field: count for field, count in counted.items() if count > AT_MOST.get(field, 0)}
    assert worse == {}
