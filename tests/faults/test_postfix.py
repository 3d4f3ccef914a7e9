"""A real Postfix in front of us by LMTP, while we die (testbook/faults.md R33, R34): end to end 0 lost, 0 twice."""

import asyncio
import json
import re
import smtplib
from collections.abc import Callable
from itertools import chain

import pytest

from benchmarks.load import Door
from benchmarks.mails import replies
from tests.faults.kills import Load, kill
from tests.faults.scene import UNLIMITED, Store, compare, dice, mails, open_cases
from tests.servers.daemon import ADDRESS, Daemon
from tests.servers.postfix import Postfix
from tests.servers.postgres import Postgres
from tests.servers.wait import until

Daemons = Callable[..., Daemon]
long = pytest.mark.long
FIRST = b"From: Vendor PSIRT"  # our mails' first header: what is before it Postfix has added


@pytest.mark.row("R34")
@pytest.mark.parametrize(
    ("kind", "kills"),
    [("sqlite_copy", 2), *(pytest.param(kind, 50, marks=long) for kind in ("sqlite_copy", "postgres_migrated"))],
)
async def test_kills_behind_a_postfix(
    request: pytest.FixtureRequest, kind: str, daemons: Daemons, postfix: Callable[..., Postfix], kills: int
) -> None:
    """What Postfix acknowledged is in our store, once, as it was sent."""
    chance, url = dice(), request.getfixturevalue(kind)
    node, store = daemons(url, **UNLIMITED), Store(url)
    open_cases(node)
    node.start()
    border = postfix(f"lmtp:inet:127.0.0.1:{node.lmtp_port}")
    async with Load([Door(border.port)], replies(ADDRESS, "border"), sessions=8, pause=0.5) as load:
        await kill(node, kills, chance)
    await asyncio.to_thread(until, lambda: border.waiting() == 0, "Postfix's queue to be empty", seconds=300)
    await asyncio.to_thread(store.drained)
    assert load.acked == set(load.sent)
    stored = [raw[raw.index(FIRST) :] for raw in store.raws()]
    assert compare(load.sent, load.acked, stored).clean
    assert "status=bounced" not in border.log()
    store.in_order()


@pytest.mark.row("R34")
@pytest.mark.parametrize(("count", "kills"), [(150, 2), pytest.param(20_000, 20, marks=long)])
async def test_smtp_source_behind_a_postfix_while_we_die(
    sqlite_copy: str, daemons: Daemons, postfix: Callable[..., Postfix], count: int, kills: int
) -> None:
    """Postfix's own load: as many as it took are in our store, each once, and both sides' books say so."""
    chance, node, store = dice(), daemons(sqlite_copy, **UNLIMITED), Store(sqlite_copy)
    open_cases(node)
    node.start()
    border = postfix(f"lmtp:inet:127.0.0.1:{node.lmtp_port}")
    options = ("-m", str(count), "-s", "8", "-l", "4096", "-t", ADDRESS, "-f", "source@load.example")
    source = await asyncio.create_subprocess_exec("smtp-source", *options, f"127.0.0.1:{border.port}")
    await kill(node, kills, chance)
    assert await source.wait() == 0
    await asyncio.to_thread(until, lambda: border.waiting() == 0, "Postfix's queue to be empty", seconds=600)
    await asyncio.to_thread(store.drained)
    ids = [re.search(rb"^Message-Id: <([^>]+)>", raw, re.MULTILINE) for raw in store.raws()]
    assert len({found[1] for found in ids if found}) == len(ids) == count
    assert border.log().count("status=sent") == node.json("books")["accepted"] == count
    store.in_order()


@pytest.mark.row("R33")
def test_postfix_sends_again_only_what_was_not_taken(
    postgres_migrated: str, postgres_server: Postgres, daemons: Daemons, postfix: Callable[..., Postfix]
) -> None:
    """Three recipients, the middle one unknown; and at first our database is away, so each is told 451."""
    node, store, [mail] = daemons(postgres_migrated).start("--only", "lmtp"), Store(postgres_migrated), mails(1)
    border = postfix(f"lmtp:inet:127.0.0.1:{node.lmtp_port}")
    postgres_server.stop("immediate")
    with smtplib.SMTP("127.0.0.1", border.port) as client:
        client.sendmail("", [ADDRESS, "nobody@cert.example", "cert+1@cert.example"], mail.raw)
    until(lambda: border.log().count("status=deferred") >= 2, "both to be deferred")
    assert "451 4.3.0 Try again later" in border.log()
    postgres_server.start()
    until(lambda: border.log().count("status=sent") == 2, "both to be delivered")
    until(lambda: border.waiting() == 0, "Postfix's queue to be empty")
    assert border.log().count("status=bounced") == 1, "the unknown one, at the first try"
    named = [json.loads(row.envelope)["to"] for row in store.rows("SELECT envelope FROM mails")]
    assert sorted(chain(*named)) == ["cert+1@cert.example", ADDRESS]
