"""The limits a gpg process runs under."""

import resource
from pathlib import Path

from mailrouter.pgp.runner import Runner


def test_no_core_file_and_no_hard_limit_lowered_under_gpg(tmp_path: Path) -> None:
    """gpg reads its core limit at its start and sets it again, soft 0; a hard limit lowered in between is its end."""
    told = tmp_path / "told"
    program = tmp_path / "gpg"
    program.write_text(f"#!/bin/sh\nuntil [ $(ulimit -Sc) = 0 ]; do sleep 0.01; done\nulimit -Hc > {told}\n")
    program.chmod(0o700)
    assert Runner(str(program), str(tmp_path)).verify(b"signature", b"signed", "keyring").code == 0
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    assert told.read_text().strip() == ("unlimited" if hard == resource.RLIM_INFINITY else str(hard // 512))
