"""What happened, append-only: one row per thing, in the transaction that did it.

Each row's hash covers the one before it in its chain (one chain per case, one per report, one per
node for what belongs to neither),
and each chain's head and length are kept beside it, so that a changed row, a missing row and a cut-off tail all show.
Holds ids, kinds, hashes, times, who acted and an analyst's own reason; never anything out of a mail.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, select, update

from mailrouter.store import upsert
from mailrouter.store.tables import chains, journal

START = b"\0" * 32


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the journal."""

    id: int
    chain: str
    seq: int
    at: datetime
    kind: str
    actor: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Note:
    """A row to be written: to which chain, when, what happened, who did it, and about what."""

    chain: str
    at: datetime
    kind: str
    actor: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Break:
    """The first row of a chain that does not fit."""

    chain: str
    seq: int
    what: str


def case_chain(case_id: int) -> str:
    """The chain of one case."""
    return f"case:{case_id}"


def report_chain(report_id: int) -> str:
    """The chain of one report; a case that comes of it has its own."""
    return f"report:{report_id}"


def node_chain(node: str) -> str:
    """The chain for what belongs to no case, one per node so that nodes do not queue on one row."""
    return f"node:{node}"


def write(tx: Connection, chain: str, at: datetime, kind: str, actor: str, /, **data: Any) -> None:
    """Append one row. Values must be JSON; instants are written as ISO 8601."""
    write_all(tx, [Note(chain, at, kind, actor, data)])


def write_all(tx: Connection, notes: Sequence[Note]) -> None:
    """Append rows, each to its chain, in this order; a few statements however many they are."""
    if not notes:
        return
    heads = _heads(tx, {note.chain for note in notes})
    rows = []
    for note in notes:
        length, head = heads[note.chain]
        row = _row(note, length + 1)
        row["hash"] = _digest(head, row)
        heads[note.chain] = length + 1, row["hash"]
        rows.append(row)
    tx.execute(_APPEND, rows)
    tx.execute(_MOVE, [{"c": chain, "new_length": n, "new_head": head} for chain, (n, head) in heads.items()])


def _row(note: Note, seq: int) -> dict[str, Any]:
    data = json.dumps(note.data, sort_keys=True, separators=(",", ":"), default=_instant)
    return {"chain": note.chain, "seq": seq, "at": note.at, "kind": note.kind, "actor": note.actor, "data": data}


_APPEND = insert(journal)
_MOVE = (
    update(chains)
    .where(chains.c.chain == bindparam("c"))
    .values(length=bindparam("new_length"), head=bindparam("new_head"))
)
_HEADS = (  # always in one order, so that no two transactions wait for each other
    select(chains).where(chains.c.chain.in_(bindparam("names", expanding=True))).order_by(chains.c.chain)
).with_for_update()


def _heads(tx: Connection, names: Set[str]) -> dict[str, tuple[int, bytes]]:
    """Length and head of these chains, held until the transaction ends; those that are not there are begun."""
    found = _held(tx, names)
    if new := sorted(names - found.keys()):
        _begin(tx, new)
        found |= _held(tx, new)
    return found


def _held(tx: Connection, names: Collection[str]) -> dict[str, tuple[int, bytes]]:
    return {row.chain: (row.length, bytes(row.head)) for row in tx.execute(_HEADS, {"names": list(names)})}


def _begin(tx: Connection, names: Sequence[str]) -> None:
    rows = [{"chain": name, "length": 0, "head": START} for name in names]
    tx.execute(upsert.into(tx, chains).values(rows).on_conflict_do_nothing())


def _digest(head: bytes, row: Mapping[str, Any]) -> bytes:
    at = row["at"].astimezone(UTC).isoformat(timespec="microseconds")
    fields = (row["chain"], str(row["seq"]), at, row["kind"], row["actor"], row["data"])
    return sha256(head + json.dumps(fields).encode("ascii")).digest()


def _instant(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    raise TypeError(f"{type(value).__name__} does not belong in the journal")


# ---- reading ---------------------------------------------------------------------------------------------------------


def entries(tx: Connection, chain: str) -> list[Entry]:
    """A chain in order."""
    rows = tx.execute(select(journal).where(journal.c.chain == chain).order_by(journal.c.seq))
    return [Entry(r.id, r.chain, r.seq, r.at, r.kind, r.actor, json.loads(r.data)) for r in rows]


def last(tx: Connection, chain: str, kinds: Sequence[str]) -> Entry | None:
    """The newest row of these kinds in a chain."""
    wanted = select(journal).where(journal.c.chain == chain, journal.c.kind.in_(kinds))
    r = tx.execute(wanted.order_by(journal.c.seq.desc()).limit(1)).first()
    return Entry(r.id, r.chain, r.seq, r.at, r.kind, r.actor, json.loads(r.data)) if r else None


def of_kinds(tx: Connection, kinds: Sequence[str]) -> list[Entry]:
    """The rows of these kinds, of all chains, in the order they were written."""
    rows = tx.execute(select(journal).where(journal.c.kind.in_(kinds)).order_by(journal.c.id))
    return [Entry(r.id, r.chain, r.seq, r.at, r.kind, r.actor, json.loads(r.data)) for r in rows]


def count(tx: Connection) -> int:
    """How many rows there are, of all chains."""
    return tx.execute(select(func.count()).select_from(journal)).scalar_one()


def verify(tx: Connection) -> Iterator[Break]:
    """The first bad row of every chain that has one; nothing when all is well."""
    heads = {r.chain: (r.length, bytes(r.head)) for r in tx.execute(select(chains))}
    orphaned = set(tx.execute(select(journal.c.chain).distinct()).scalars()) - set(heads)
    yield from (Break(chain, 1, "a chain without its head") for chain in sorted(orphaned))
    for chain in sorted(heads):
        found = _first_bad(tx, chain, *heads[chain])
        if found:
            yield found


def _first_bad(tx: Connection, chain: str, length: int, head: bytes) -> Break | None:
    last, seq = START, 0
    wanted = select(journal).where(journal.c.chain == chain).order_by(journal.c.seq)
    with tx.execute(wanted.execution_options(yield_per=1000)) as rows:
        for row in rows:
            seq += 1
            if row.seq != seq:
                return Break(chain, seq, "a row is missing")
            if _digest(last, dict(row._mapping)) != bytes(row.hash):
                return Break(chain, seq, "the row is not what was written")
            last = bytes(row.hash)
    if (seq, last) != (length, head):
        return Break(chain, seq + 1, "rows are missing at the end" if seq < length else "the head does not fit")
    return None
