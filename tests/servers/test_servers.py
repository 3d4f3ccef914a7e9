"""The test servers themselves: what they promise to the other tests is true."""

import smtplib
import subprocess
from pathlib import Path

import psycopg
import pytest
import sqlalchemy

from tests.servers.wait import free_port, program, until

MAIL = b"Subject: hello\r\n\r\n..two dots\r\n.one dot\r\nlatin \xe9\r\n"


def send(port: int, raw: bytes = MAIL, *, to: tuple[str, ...] = ("b@example.org",), timeout: float = 10) -> dict:
    with smtplib.SMTP("127.0.0.1", port, timeout=timeout) as client:
        return client.sendmail("a@example.net", to, raw)


def test_a_database_is_empty_and_durable(database_url):
    engine = sqlalchemy.create_engine(database_url)
    with engine.begin() as tx:
        assert sqlalchemy.inspect(tx).get_table_names() == []
        if engine.dialect.name == "postgresql":
            assert tx.exec_driver_sql("SHOW fsync").scalar() == "on"
            assert tx.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"
        tx.exec_driver_sql("CREATE TABLE seen (n int)")
    engine.dispose()


def test_postgres_survives_a_crash(postgres_server, postgres_url):
    plain = postgres_url.replace("+psycopg", "")
    with psycopg.connect(plain) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS n")
    postgres_server.stop("immediate")
    assert not postgres_server.up()
    postgres_server.start()
    with psycopg.connect(plain) as connection:
        assert connection.execute("SELECT n FROM kept").fetchall() == [(1,)]


def test_a_smarthost_keeps_exact_bytes(smarthost):
    send(smarthost.port)
    assert [one.data for one in smarthost.taken] == [MAIL]
    assert smarthost.taken[0].rcpt == (b"TO:<b@example.org>",)


def test_a_smarthost_goes_away_and_comes_back(smarthosts):
    first = smarthosts()
    first.close()
    with pytest.raises(ConnectionRefusedError):
        send(first.port)
    second = smarthosts(at=first.port)
    send(first.port)
    assert len(second.taken) == 1


def test_a_smarthost_speaks_starttls_and_auth(smarthosts, certificate):
    host = smarthosts(tls=certificate.server(), login=("me", "secret"))
    with smtplib.SMTP("localhost", host.port, timeout=10) as client:
        client.starttls(context=certificate.client())
        client.login("me", "secret")
        client.sendmail("a@example.net", ["b@example.org"], MAIL)
    assert [(one.tls, one.user, one.data) for one in host.taken] == [(True, "me", MAIL)]


def test_postfix_hands_over_what_it_took(postfix, smarthosts):
    port = free_port()
    border = postfix(f"smtp:[127.0.0.1]:{port}")
    send(border.port)
    until(lambda: border.waiting() == 1, "the mail to be in Postfix's queue")
    host = smarthosts(at=port)
    until(lambda: host.taken, "Postfix to hand the mail over")
    assert host.taken[0].data.endswith(MAIL.partition(b"\r\n\r\n")[2])
    until(lambda: border.waiting() == 0, "Postfix's queue to be empty")


def test_the_clock_stands_until_it_is_moved(clock):
    start = clock()
    assert clock() == start
    assert (clock.forward(days=14) - start).days == 14


@pytest.mark.parametrize("name", ["swaks", "gpg", "faketime", "strace"])
def test_a_tool_runs(name, tmp_path: Path):
    done = subprocess.run([program(name, name), "--version"], capture_output=True, timeout=30, cwd=tmp_path)
    assert done.returncode == 0
