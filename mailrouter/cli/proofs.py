"""How a statement's proof is written to files and shown: all of it or nothing, and nothing is overwritten."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from mailrouter import faults
from mailrouter.cli import shapes
from mailrouter.flow.people import proofs


def write(folder: Path, files: Mapping[str, bytes]) -> list[Path]:
    """The files below `folder`, which is made; their paths. `Refused` if one is there already or cannot be written."""
    wanted = {folder / name: content for name, content in files.items()}
    taken = next((path for path in wanted if path.exists() or path.is_symlink()), None)
    if taken is not None:
        raise faults.Refused(f"{taken}: is there already")
    written: list[Path] = []
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path, content in wanted.items():
            path.parent.mkdir(mode=0o700, exist_ok=True)
            with path.open("xb") as file:
                written.append(path)
                file.write(content)
    except OSError as trouble:
        for path in written:
            path.unlink()
        raise faults.Refused(f"{folder}: cannot be written to ({trouble.strerror})") from None
    return list(wanted)


def shape(proof: proofs.Proof, now: datetime) -> shapes.Shape:
    """`statement show --json`: the statement, what was decided when it came, and what holds of the key now."""
    message, key = proof.message, proof.key
    return {
        **shapes.statement(proof.statement, proof.voucher),
        "when_it_came": {
            "verdict": message.verdict, "covers": message.covers, "assurance": message.assurance,
            "flags": message.flags.split(), "reason": message.reason, "gpg": message.gpg or None,
            "certificate": message.certificate or None,
        },
        "key_now": {
            "words": proof.key_now(now), "state": key.state(now), "expires_at": key.expires_at,
            "retired_at": key.retired_at, "revoked_at": key.revoked_at,
            "renewed": proof.certificate is not None and proof.certificate.data != key.data,
        } if key else None,
    }  # fmt: skip
