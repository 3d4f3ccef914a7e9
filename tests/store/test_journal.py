"""The journal: what is written is found, and whatever is changed, taken out or cut off shows."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, update

from mailrouter.store import journal
from mailrouter.store.engine import Database
from mailrouter.store.journal import Break
from mailrouter.store.tables import chains
from mailrouter.store.tables import journal as rows

NOW = datetime(2026, 3, 2, 9, 0, 0, 123456, UTC)
CASE, NODE = journal.case_chain(7), journal.node_chain("n1")


@pytest.fixture
def written(database: Database) -> Database:
    """Five rows in a case's chain, two in a node's."""
    with database.write() as tx:
        for number in range(5):
            journal.write(tx, CASE, NOW + timedelta(seconds=number), "mail.filed", "mailrouter", message=number)
        for _ in range(2):
            journal.write(tx, NODE, NOW, "mail.review", "alice", why="a reason of her own")
    return database


def breaks(db: Database) -> list[Break]:
    with db.read() as tx:
        return list(journal.verify(tx))


def test_rows_come_back_in_order_and_the_chains_are_whole(written: Database) -> None:
    with written.read() as tx:
        entries = journal.entries(tx, CASE)
        assert [(e.seq, e.kind, e.actor, e.data) for e in entries] == [
            (n + 1, "mail.filed", "mailrouter", {"message": n}) for n in range(5)
        ]
        assert entries[0].at == NOW
        assert (journal.count(tx), len(journal.entries(tx, NODE))) == (7, 2)
    assert breaks(written) == []


CHANGES = {
    "kind": {"kind": "mail.review"}, "actor": {"actor": "bob"}, "data": {"data": '{"message":9}'},
    "time": {"at": NOW + timedelta(days=1)}, "hash": {"hash": b"\1" * 32},
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_row_shows(written: Database, change: str) -> None:
    with written.write() as tx:
        tx.execute(update(rows).where(rows.c.chain == CASE, rows.c.seq == 3).values(CHANGES[change]))
    assert breaks(written) == [Break(CASE, 3, "the row is not what was written")]


def test_a_changed_row_whose_hash_was_made_to_fit_shows_in_the_next(written: Database) -> None:
    with written.write() as tx:
        before = tx.execute(rows.select().where(rows.c.chain == CASE, rows.c.seq == 2)).one()
        mine = tx.execute(rows.select().where(rows.c.chain == CASE, rows.c.seq == 3)).one()
        forged = dict(mine._mapping) | {"data": '{"message":9}'}
        digest = journal._digest(bytes(before.hash), forged)
        tx.execute(update(rows).where(rows.c.id == mine.id).values(data=forged["data"], hash=digest))
    assert breaks(written) == [Break(CASE, 4, "the row is not what was written")]


@pytest.mark.parametrize(
    ("gone", "found"),
    [
        ([3], Break(CASE, 3, "a row is missing")),
        ([1], Break(CASE, 1, "a row is missing")),
        ([5], Break(CASE, 5, "rows are missing at the end")),
        ([4, 5], Break(CASE, 4, "rows are missing at the end")),
        ([1, 2, 3, 4, 5], Break(CASE, 1, "rows are missing at the end")),
    ],
)
def test_missing_rows_show(written: Database, gone: list[int], found: Break) -> None:
    with written.write() as tx:
        tx.execute(delete(rows).where(rows.c.chain == CASE, rows.c.seq.in_(gone)))
    assert breaks(written) == [found]


def test_rows_swapped_or_moved_to_another_chain_show(written: Database) -> None:
    with written.write() as tx:
        for old, new in ((2, 99), (4, 2), (99, 4)):
            tx.execute(update(rows).where(rows.c.chain == CASE, rows.c.seq == old).values(seq=new))
    assert breaks(written) == [Break(CASE, 2, "the row is not what was written")]


def test_a_row_added_by_hand_shows(written: Database) -> None:
    with written.write() as tx:
        row = {"chain": CASE, "seq": 6, "at": NOW, "kind": "x", "actor": "bob", "data": "{}", "hash": b"\0" * 32}
        tx.execute(insert(rows), row)
    assert breaks(written) == [Break(CASE, 6, "the row is not what was written")]


def test_a_tail_cut_off_with_its_length_shows_by_the_head(written: Database) -> None:
    with written.write() as tx:
        tx.execute(delete(rows).where(rows.c.chain == CASE, rows.c.seq == 5))
        tx.execute(update(chains).where(chains.c.chain == CASE).values(length=4))
    assert breaks(written) == [Break(CASE, 5, "the head does not fit")]


def test_a_chain_without_its_head_shows(written: Database) -> None:
    with written.write() as tx:
        tx.execute(delete(chains).where(chains.c.chain == CASE))
    assert breaks(written) == [Break(CASE, 1, "a chain without its head")]


def test_each_broken_chain_is_named_once(written: Database) -> None:
    with written.write() as tx:
        tx.execute(update(rows).values(actor="bob"))
    assert [(found.chain, found.seq) for found in breaks(written)] == [(CASE, 1), (NODE, 1)]


def test_nothing_but_plain_values_goes_in(database: Database) -> None:
    with pytest.raises(TypeError, match="bytes does not belong in the journal"), database.write() as tx:
        journal.write(tx, CASE, NOW, "x", "y", raw=b"From: somebody")
    with database.write() as tx:
        journal.write(tx, CASE, NOW, "x", "y", at=NOW.astimezone(timezone(timedelta(hours=2))))
    with database.read() as tx:
        assert journal.entries(tx, CASE)[0].data == {"at": NOW.isoformat()}


words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(words, words, st.dictionaries(words, words | st.integers() | st.none(), max_size=3)), max_size=4)
)
def test_whatever_words_are_used_the_chain_holds(
    database: Database, notes: list[tuple[str, str, dict[str, object]]]
) -> None:
    with database.write() as tx:
        journal.write_all(tx, [journal.Note(CASE, NOW, kind, actor, data) for kind, actor, data in notes])
    assert breaks(database) == []
