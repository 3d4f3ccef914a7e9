"""A database that was used at an older revision is brought up, with its rows, and works; so is a backup of one."""

import base64
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, select, text

from mailrouter.case import pseudonym
from mailrouter.store import (
    backup,
    candidates,
    cases,
    certificates,
    contacts,
    files,
    journal,
    messages,
    migrate,
    outbox,
    restore,
    tables,
)
from mailrouter.store.engine import Database

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
FINGERPRINT = "A" * 40
CARRIED = json.dumps([{"name": "poc.txt", "type": "text/plain", "data": base64.b64encode(b"a poc").decode()}])

# What a database at 0001 holds after a vendor was asked and answered, table by table.
OLD_ROWS = (
    "INSERT INTO organisations (name, name_key) VALUES ('Acme', 'acme')",
    "INSERT INTO contacts (organisation_id, address) VALUES (1, 'psirt@acme.example')",
    (
        "INSERT INTO pinned_keys (organisation_id, fingerprint, data, can_encrypt, pinned_at)"
        f" VALUES (1, '{FINGERPRINT}', :data, true, :at)"
    ),
    "INSERT INTO analysts (name) VALUES ('ben')",
    f"INSERT INTO analysts (name, fingerprint, key) VALUES ('ana', '{'B' * 40}', :hers)",
    f"INSERT INTO analysts (name, fingerprint, key) VALUES ('cleo', '{'B' * 40}', :hers)",
    f"INSERT INTO analysts (name, fingerprint, key) VALUES ('dora', '{FINGERPRINT}', :data)",
    f"INSERT INTO key_names (key_id, name) VALUES (1, '{FINGERPRINT}')",
    (
        "INSERT INTO cases (vu, title, opened_at, first_contact_at, planned_at)"
        " VALUES (123456, 'A flaw', :at, :at, :planned)"
    ),
    "INSERT INTO participants (case_id, organisation_id, waiting_on, since) VALUES (1, 1, 'them', 'letter:1')",
    "INSERT INTO mails (dedupe, received_at, size, raw) VALUES (:data, :at, 7, :data)",
    (
        "INSERT INTO messages (mail_id, case_id, participant_id, received_at, subject, encrypted, decrypted)"
        " VALUES (1, 1, 1, :at, 'VU#123456', true, 'ok')"
    ),
    (
        "INSERT INTO letters (case_id, participant_id, name, recipient, body, made_at, next_attempt_at, confidential,"
        " attachments) VALUES (1, 1, 'notification', 'psirt@acme.example', 'Dear Acme', :at, :at, true, :carried)"
    ),
)

RELEASED = {  # somebody's database stands at each of these: what is to change goes into a new one
    "0001_the_first_schema.py": "11e159b2d39df7921cbfe603239c76684b0790b193da445bf26d451abdc3bf81",
    "0002_proofs.py": "4655a638ad86e2dc534d4d9fb531be989a6d416b057a51efae6c3a96ee9e3083",
    "0003_coordination.py": "950416e45c9569b11d72a0b086631a0a09588271b449c5f546f44742f94c9c0d",
}


def fill(tx: Connection) -> None:
    """Bring an empty database to 0001, and put rows into it."""
    config = Config()
    config.set_main_option("script_location", str(migrate.scripts()))
    config.attributes["connection"] = tx
    command.upgrade(config, "0001")
    zone = "" if tx.dialect.name == "sqlite" else "+00"
    for row in OLD_ROWS:
        at, planned = (f"2026-{day} 09:00:00.000000{zone}" for day in ("03-02", "04-16"))
        tx.execute(
            text(row), {"data": b"the key", "hers": b"her key", "at": at, "planned": planned, "carried": CARRIED}
        )
    journal.write(tx, journal.case_chain(1), NOW, "case.opened", "alice")


@pytest.fixture
def old(database_url: str) -> Iterator[Database]:
    """A database at 0001, once of each kind."""
    db = Database(database_url)
    with db.write() as tx:
        fill(tx)
    yield db
    db.close()


def works(db: Database) -> None:
    """What is there is read with what is new, and what is new is written."""
    with db.write() as tx:
        assert (contacts.named(tx, "Acme").telephone, contacts.add(tx, "Bolt").id) == ("", 2)
        [key] = contacts.keys_of(tx, [1])
        assert (key.data, key.usable(NOW), key.pinned_at) == (b"the key", True, NOW)
        kept = certificates.get(tx, sha256(b"the key").hexdigest())
        assert kept is not None
        assert (kept.fingerprint, kept.kept_at) == (FINGERPRINT, NOW)
        hers = certificates.get(tx, sha256(b"her key").hexdigest())
        assert hers is not None
        assert (hers.fingerprint, hers.data, hers.kept_at > NOW) == ("B" * 40, b"her key", True)
        contacts.retire(tx, 1, FINGERPRINT, NOW, "lost")
        [message] = messages.of_case(tx, 1)
        assert (message.encrypted, message.decrypted) == (True, "ok")
        messages.replace(tx, message.id, {"ciphertext": "c" * 64, "certificate": "d" * 64})
        [message] = messages.of_case(tx, 1)
        assert message.certificate == "d" * 64
        letter = outbox.get(tx, 1)
        assert (letter.body, letter.confidential, letter.only_encrypted) == ("Dear Acme", True, False)
        [file] = outbox.attachments(letter)
        assert (file["name"], files.some(tx, [file["digest"]])) == ("poc.txt", {file["digest"]: b"a poc"})
        clocks = {(d.participant_id, str(d.kind), d.since, d.rung) for d in cases.deadlines_of(tx, 1)}
        of_case = ("publication", "embargo", "draft", "alert", "reminder")
        assert clocks == {*((None, kind, "migrated", 1) for kind in of_case), (1, "non-responsive", "letter:1", 1)}
        [planned] = [d.due_at for d in cases.deadlines_of(tx, 1) if d.kind == "publication"]
        assert planned == cases.get(tx, 1).planned_at == datetime(2026, 4, 16, 9, tzinfo=UTC)
        assert cases.participant(tx, 1).name == "Acme"
        assert pseudonym.PATTERN.fullmatch(cases.participant(tx, 1).pseudonym)
        assert candidates.of(tx, 1) == []
        assert list(journal.verify(tx)) == []


def test_a_database_at_0001_is_brought_up_and_works(old: Database) -> None:
    assert migrate.upgrade(old) == migrate.newest()
    with old.read() as tx:
        context = MigrationContext.configure(tx, opts={"compare_type": True, "compare_server_default": False})
        assert compare_metadata(context, tables.metadata) == []
    migrate.check(old)
    works(old)


def test_a_backup_of_a_database_at_0001_comes_back_and_works(database_url: str, tmp_path: Path) -> None:
    """From SQLite's file of then, into either database of now."""
    file = tmp_path / "backup"
    then = Database(f"sqlite:///{file}")
    with then.write() as tx:
        fill(tx)
        backup.key_files.create(tx)
    then.close()
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA application_id={backup.APPLICATION}")
        connection.execute("PRAGMA journal_mode=DELETE")
    now = Database(database_url)
    try:
        order = restore.Order(tmp_path / "home", tmp_path, "n2", "unix:root", NOW)
        assert restore.restore(now, file, order, lambda _name, _rows: None).letters_held == 1
        works(now)
        with now.read() as tx:
            assert tx.execute(select(tables.letters.c.state)).scalars().all() == ["held"]
    finally:
        now.close()


@pytest.mark.parametrize("name", RELEASED)
def test_a_revision_in_use_is_never_edited(name: str) -> None:
    assert sha256((migrate.scripts() / "versions" / name).read_bytes()).hexdigest() == RELEASED[name]
