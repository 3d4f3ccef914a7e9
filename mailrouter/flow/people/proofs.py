"""What proves a statement, and files with which anybody can check that without us: plain gpg or sq, and one public key.

Promises: what was decided when the mail came is told as it was decided then, whatever became of the key since; the key
is the one it was proved with, in the form it had; nobody who takes part anonymously is named in an export.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection

from mailrouter import faults
from mailrouter.case.model import Case, Statement
from mailrouter.pgp import packets
from mailrouter.store import cases, certificates, contacts, messages, statements, vouchers
from mailrouter.store.certificates import Certificate
from mailrouter.store.contacts import PinnedKey
from mailrouter.store.messages import Message
from mailrouter.store.vouchers import Voucher

SIGNED, SIGNATURE, MESSAGE = "statement", "statement.asc", "statement.gpg"
TEXT, KEY, MANIFEST, README = "statement.txt", "key.asc", "manifest.json", "README.txt"
NOTHING_SIGNED = {
    "none": "it is not signed",
    "message": "it was signed and encrypted in one step, and was kept by a version that did not keep its signature",
}


@dataclass(frozen=True, slots=True)
class Proof:
    """A statement with all that is known of why we believe it is theirs."""

    statement: Statement
    message: Message  # as it was judged when it came
    certificate: Certificate | None  # the key it was proved with, in the form it had then
    key: PinnedKey | None  # the same key as it is pinned now
    voucher: Voucher | None  # who said that it is theirs, where no signature does

    def key_now(self, now: datetime) -> str:
        """What holds of the key now, in plain words; '' when no key proved it."""
        if not self.statement.fingerprint:
            return ""
        if self.key is None:
            return "pinned to nobody"
        state = self.key.state(now)
        other = self.certificate is not None and self.certificate.data != self.key.data
        words = "in use" if state == "valid" else f"{state}{_on(self.key, state)}"
        return f"{words}, renewed since" if other and state == "valid" else words


def _on(key: PinnedKey, state: str) -> str:
    times = {"retired": key.retired_at, "revoked": key.revoked_at, "expired": key.expires_at}
    when = times.get(state)
    return f" on {when:%Y-%m-%d}" if when else ""


def of(tx: Connection, statement: Statement) -> Proof:
    """All that is known of one."""
    message = messages.get(tx, statement.message_id)
    return Proof(
        statement=statement,
        message=message,
        certificate=certificates.get(tx, message.certificate),
        key=contacts.pinned(tx, statement.fingerprint),
        voucher=vouchers.made_stand(tx, [statement.id]).get(statement.id),
    )


# ---- files ---------------------------------------------------------------------------------------------------------

Files = dict[str, bytes]


def signed_files(one: Statement) -> Files:
    """What was signed and its signature, as any OpenPGP program reads them. `NotFound` when there is nothing."""
    match one.form:
        case "cleartext":
            return {SIGNATURE: one.signed_bytes}
        case "mime":
            return {SIGNED: one.signed_bytes, SIGNATURE: one.signature}
        case "message" if one.signature:
            return {MESSAGE: one.signature}
    raise faults.NotFound(f"there is nothing to verify apart from the mail: {NOTHING_SIGNED[one.form]}")


def how_to_verify(one: Statement) -> str:
    """The files, as `gpg --verify` takes them."""
    return {"cleartext": SIGNATURE, "mime": f"{SIGNATURE} {SIGNED}", "message": MESSAGE}.get(one.form, "")


@dataclass(frozen=True, slots=True)
class Export:
    """The files of one case, by their path below the folder."""

    files: Files
    left_out: int  # statements of those who take part anonymously


def export(tx: Connection, vu: int, now: datetime) -> Export:
    """One folder for each statement that stands, and what says how to check them. `NotFound` when none stands."""
    case = cases.by_vu(tx, vu)
    hidden = {p.id for p in cases.participants_of(tx, [case.id]) if p.anonymous}
    standing = [one for one in statements.of_case(tx, case.id) if one.stands]
    shown = [of(tx, one) for one in standing if one.participant_id not in hidden]
    if not shown:
        raise faults.NotFound(f"no statement stands on VU#{vu} that may be shown to others")
    folders = _folders([proof.statement.vendor for proof in shown])
    files: Files = {}
    for folder, proof in zip(folders, shown, strict=True):
        files |= {f"{folder}/{name}": content for name, content in _of_one(proof).items()}
    told = [_told(folder, proof, now) for folder, proof in zip(folders, shown, strict=True)]
    files[MANIFEST] = json.dumps(_manifest(case, told, now), indent=2).encode("ascii") + b"\n"
    files[README] = _readme(case, told).encode("utf-8")
    return Export(files, len(standing) - len(shown))


def _of_one(proof: Proof) -> Files:
    files = {TEXT: proof.statement.verbatim}
    if proof.statement.state == "verified":
        files |= signed_files(proof.statement) if _has_files(proof) else {}
        files |= {KEY: packets.armored(key, b"PUBLIC KEY BLOCK")} if (key := _public_key(proof)) else {}
    return files


def _has_files(proof: Proof) -> bool:
    return proof.statement.form in ("mime", "cleartext") or bool(proof.statement.signature)


def _public_key(proof: Proof) -> bytes:
    """As it was; of what was proved before that was kept, as it is."""
    if proof.certificate is not None:
        return proof.certificate.data
    return proof.key.data if proof.key is not None else b""


def _folders(names: Sequence[str]) -> list[str]:
    """A name for each that every file system takes, each once."""
    made: list[str] = []
    for name in names:
        plain = re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-")[:40] or "vendor"
        same = sum(one == plain or one.startswith(f"{plain}-") for one in made)
        made.append(f"{plain}-{same + 1}" if same else plain)
    return made


# ---- words ---------------------------------------------------------------------------------------------------------

Told = dict[str, object]


def _manifest(case: Case, told: list[Told], now: datetime) -> Told:
    return {"vu": f"VU#{case.vu}", "exported_at": _iso(now), "statements": told}


def _told(folder: str, proof: Proof, now: datetime) -> Told:
    one = proof.statement
    told: Told = {
        "vendor": one.vendor, "folder": folder, "state": one.state, "text": f"{folder}/{TEXT}", "sha256": one.sha256,
        "received_at": _iso(one.received_at), "approved_at": _iso(one.approved_at),
    }  # fmt: skip
    if one.state == "verified":
        told["signature"] = _signature(folder, proof, now)
    if proof.voucher is not None:
        told["vouched"] = {"how": proof.voucher.how, "confirmed_at": _iso(proof.voucher.done_at),
                           "sha256": proof.voucher.sha256}  # fmt: skip
    return told


def _signature(folder: str, proof: Proof, now: datetime) -> Told:
    one, message = proof.statement, proof.message
    files = [f"{folder}/{name}" for name in how_to_verify(one).split()] if _has_files(proof) else []
    return {
        "form": one.form, "files": files, "fingerprint": one.fingerprint, "signed_at": _iso(one.signed_at),
        "names_the_case": one.bound,
        "when_it_came": {"verdict": message.verdict, "covers": message.covers, "gpg": message.gpg or None},
        "key": f"{folder}/{KEY}" if _public_key(proof) else None,
        "key_sha256": proof.certificate.digest if proof.certificate else None,
        "key_as_it_was": proof.certificate is not None,
        "key_now": proof.key_now(now),
    }  # fmt: skip


def _iso(instant: datetime | None) -> str | None:
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z") if instant else None


_INTRODUCTION = """\
Vendor Statements on {vu}, and what proves them.

Each folder has the text as it is published (statement.txt), what the vendor signed, and the vendor's public key as it
was when the mail came (key.asc). manifest.json says the rest: SHA-256 of each text, fingerprints, times.

A signature proves that the text is from whoever holds the key; that the key is the vendor's, we compared with the
vendor. Compare the fingerprint yourself, over a way that you trust. The time in a signature is what its maker's clock
said. A key that has expired or was revoked since then says so in newer copies of it; in key.asc it is as it was.

With gpg, in an empty home of its own:

  mkdir -m 700 home
"""
_ONE = """\
{vendor} ({folder}), SHA-256 {sha256}
"""
_BY_KEY = """\
  signed on {signed} with the key {fingerprint}
  gpg --homedir home --import {key}
  gpg --homedir home --verify {files}
  sq verify --signer-cert {key} {sq}
"""
_BY_WORD = "  not signed: the vendor confirmed it by {how} on {when}\n"
_NO_FILES = "  signed, but the signature cannot be had apart from the encrypted mail\n"


def _readme(case: Case, told: list[Told]) -> str:
    return _INTRODUCTION.format(vu=f"VU#{case.vu}") + "".join("\n" + _lines(one) for one in told)


def _lines(told: Told) -> str:
    head = _ONE.format_map(told)
    signature, vouched = told.get("signature"), told.get("vouched")
    if isinstance(signature, dict):
        files = list(signature["files"])
        if not files or not signature["key"]:
            return head + _NO_FILES
        detached = "--detached " if len(files) == 2 else ""
        return head + _BY_KEY.format(
            signed=str(signature["signed_at"])[:10], fingerprint=signature["fingerprint"], key=signature["key"],
            files=" ".join(files), sq=detached + " ".join(files),
        )  # fmt: skip
    if isinstance(vouched, dict):
        return head + _BY_WORD.format(how=vouched["how"], when=str(vouched["confirmed_at"])[:10])
    return head
