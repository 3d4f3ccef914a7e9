"""What was looked at in vain: remembered for a while, in a table that does not grow."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select

from mailrouter.store import vain
from mailrouter.store.engine import Database
from mailrouter.store.tables import vain_offers

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
FIRST, SAME_PLACE, OTHER = "00000001" + "a" * 56, "00000001" + "b" * 56, "00000002" + "c" * 56


def test_remembered_for_a_week(database: Database) -> None:
    with database.write() as tx:
        vain.remember(tx, {})
        vain.remember(tx, {OTHER: NOW, FIRST: NOW})
        assert [vain.known(tx, one, NOW) for one in (FIRST, OTHER, SAME_PLACE)] == [True, True, False]
        assert not vain.known(tx, FIRST, NOW + vain.REMEMBERED)
        vain.remember(tx, {FIRST: NOW + timedelta(days=7)})
        assert vain.known(tx, FIRST, NOW + timedelta(days=13))


def test_it_does_not_grow(database: Database) -> None:
    """Two of one place: the later one stays, also when both come at once."""
    with database.write() as tx:
        vain.remember(tx, {FIRST: NOW, SAME_PLACE: NOW})
        assert [vain.known(tx, one, NOW) for one in (FIRST, SAME_PLACE)] == [False, True]
        vain.remember(tx, {FIRST: NOW})
        assert [vain.known(tx, one, NOW) for one in (FIRST, SAME_PLACE)] == [True, False]
        assert tx.execute(select(func.count()).select_from(vain_offers)).scalar_one() == 1
