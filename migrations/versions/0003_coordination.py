"""Coordination: reports, what vendors are told, what they answer, and what became of each.

Revision 0003, after 0002. Tables that may be large get their columns in place: no row is copied, on either database;
`deadlines` alone is, on SQLite, to belong to a report instead of a case.
"""

import base64
import json
import secrets
from hashlib import sha256

import sqlalchemy as sa
from alembic import op

from mailrouter import clock

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:

    op.create_table(
        "files",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("kept_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_files")),
    )
    op.create_table(
        "descriptions",
        sa.Column("id", WHOLE, autoincrement=True, nullable=False),
        sa.Column("case_id", WHOLE, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("files", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_descriptions_case_id_cases")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_descriptions")),
        sa.UniqueConstraint("case_id", "version", name=op.f("uq_descriptions_case_id_version")),
    )
    op.create_table(
        "reports",
        sa.Column("id", WHOLE, autoincrement=True, nullable=False),
        sa.Column("vrf", sa.Text(), nullable=False),
        sa.Column("rm", sa.Text(), server_default=sa.text("'START'"), nullable=False),
        sa.Column("source", sa.Text(), server_default=sa.text("'mail'"), nullable=False),
        sa.Column("title", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("address", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("message_id", WHOLE, nullable=True),
        sa.Column("case_id", WHOLE, nullable=True),
        sa.Column("text", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("public", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("exploited", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("credit", sa.Boolean(), server_default=sa.text("(false)"), nullable=False),
        sa.Column("share_name", sa.Boolean(), server_default=sa.text("(false)"), nullable=False),
        sa.Column("sketch", sa.LargeBinary(), nullable=True),
        sa.Column("cvss", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("score", sa.Integer(), nullable=True),
        sa.Column("ssvc", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("analyst_id", WHOLE, nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("reason", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("why", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("duplicate_of_id", WHOLE, nullable=True),
        sa.ForeignKeyConstraint(["analyst_id"], ["analysts.id"], name=op.f("fk_reports_analyst_id_analysts")),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_reports_case_id_cases")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reports")),
        sa.UniqueConstraint("vrf", name=op.f("uq_reports_vrf")),
    )
    with op.batch_alter_table("reports", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_reports_case_id"), ["case_id"], unique=False)
        batch_op.create_index("ix_reports_received_at", ["received_at", "id"], unique=False)
    brought = sa.text("message_id IS NOT NULL")
    op.create_index(
        "uq_reports_message_id", "reports", ["message_id"], unique=True, sqlite_where=brought, postgresql_where=brought
    )

    op.create_table(
        "vulnerabilities",
        sa.Column("id", WHOLE, autoincrement=True, nullable=False),
        sa.Column("case_id", WHOLE, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("cve", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_vulnerabilities_case_id_cases")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vulnerabilities")),
        sa.UniqueConstraint("case_id", "number", name=op.f("uq_vulnerabilities_case_id_number")),
    )
    op.create_table(
        "vendor_statuses",
        sa.Column("participant_id", WHOLE, autoincrement=False, nullable=False),
        sa.Column("vulnerability_id", WHOLE, autoincrement=False, nullable=False),
        sa.Column("status", sa.Text(), server_default=sa.text("'Unknown'"), nullable=False),
        sa.Column("why", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("fixed_in", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.ForeignKeyConstraint(
            ["participant_id"], ["participants.id"], name=op.f("fk_vendor_statuses_participant_id_participants")
        ),
        sa.ForeignKeyConstraint(
            ["vulnerability_id"],
            ["vulnerabilities.id"],
            name=op.f("fk_vendor_statuses_vulnerability_id_vulnerabilities"),
        ),
        sa.PrimaryKeyConstraint("participant_id", "vulnerability_id", name=op.f("pk_vendor_statuses")),
    )
    op.create_table(
        "proposals",
        sa.Column("id", WHOLE, autoincrement=True, nullable=False),
        sa.Column("case_id", WHOLE, nullable=False),
        sa.Column("participant_id", WHOLE, nullable=False),
        sa.Column("message_id", WHOLE, nullable=False),
        sa.Column("what", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("value", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("vulnerability", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("outcome", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_proposals_case_id_cases")),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("fk_proposals_message_id_messages")),
        sa.ForeignKeyConstraint(
            ["participant_id"], ["participants.id"], name=op.f("fk_proposals_participant_id_participants")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proposals")),
        sa.UniqueConstraint(
            "message_id",
            "participant_id",
            "what",
            "vulnerability",
            name=op.f("uq_proposals_message_id_participant_id_what_vulnerability"),
        ),
    )
    with op.batch_alter_table("proposals", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_proposals_case_id"), ["case_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_proposals_participant_id"), ["participant_id"], unique=False)

    op.create_table(
        "relays",
        sa.Column("id", WHOLE, autoincrement=True, nullable=False),
        sa.Column("message_id", WHOLE, nullable=False),
        sa.Column("participant_id", WHOLE, nullable=False),
        sa.Column("letter_id", WHOLE, nullable=True),
        sa.Column("files", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("consent", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.ForeignKeyConstraint(["letter_id"], ["letters.id"], name=op.f("fk_relays_letter_id_letters")),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("fk_relays_message_id_messages")),
        sa.ForeignKeyConstraint(
            ["participant_id"], ["participants.id"], name=op.f("fk_relays_participant_id_participants")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_relays")),
    )
    with op.batch_alter_table("relays", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_relays_message_id"), ["message_id"], unique=False)

    _add_columns()
    _name_everybody()
    _deadlines_of_reports()
    _keep_files_once()
    _what_holds_of_old_cases()


def _add_columns() -> None:
    """What the tables of 0001 and 0002 have besides."""
    _text("cases", "policy")
    _id("cases", "merged_into_id")
    _time("cases", "public_at", "exploit_public_at", "attacks_at")

    op.execute("ALTER TABLE participants RENAME COLUMN role TO roles")
    _text("participants", "pseudonym", "left_why")
    op.add_column("participants", sa.Column("rm", sa.Text(), server_default=sa.text("'START'"), nullable=False))
    _time(
        "participants", "aware_at", "fix_ready_at", "fix_deployed_at", "fix_expected_at", "first_contact_at", "left_at"
    )
    for count in ("described", "promised"):
        op.add_column("participants", sa.Column(count, sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column("participants", sa.Column("credit", sa.Boolean(), server_default=sa.text("(false)"), nullable=False))

    _id("messages", "report_id")
    present = sa.text("report_id IS NOT NULL")
    op.create_index("ix_messages_report_id", "messages", ["report_id"], sqlite_where=present, postgresql_where=present)
    _id("queue_items", "report_id")
    _id("letters", "report_id")
    _text("letters", "despite")


def _name_everybody() -> None:
    """Who takes part already is called something towards the others from now on, too."""
    here, letters = op.get_bind(), "BCDFGHJKLMNPQRSTVWXYZ"
    used: set[tuple[int, str]] = set()
    for one in here.execute(sa.text("SELECT id, case_id, roles FROM participants ORDER BY id")).all():
        code = ""
        while not code or (one.case_id, code) in used:
            code = "".join(secrets.choice(letters) for _ in range(4))
        used.add((one.case_id, code))
        word = {"reporter": "Reporter", "coordinator": "Coordinator"}.get(one.roles.split()[0], "Vendor")
        row = {"id": one.id, "name": f"{word} {code}"}
        here.execute(sa.text("UPDATE participants SET pseudonym = :name WHERE id = :id"), row)


def _deadlines_of_reports() -> None:
    of_case, of_report = "participant_id IS NULL AND case_id IS NOT NULL", "report_id IS NOT NULL"
    with op.batch_alter_table("deadlines", schema=None) as batch_op:
        batch_op.add_column(sa.Column("report_id", WHOLE, nullable=True))
        batch_op.alter_column("case_id", existing_type=WHOLE, nullable=True)
        batch_op.create_foreign_key(batch_op.f("fk_deadlines_report_id_reports"), "reports", ["report_id"], ["id"])
    for name, owner, where in (("of_case", "case_id", of_case), ("of_report", "report_id", of_report)):
        op.create_index(
            f"uq_deadlines_{name}", "deadlines", [owner, "kind", "since", "rung"], unique=True,
            sqlite_where=sa.text(where), postgresql_where=sa.text(where),
        )  # fmt: skip


def _keep_files_once() -> None:
    """What letters carry was in each letter's row; from now on its row names it."""
    here = op.get_bind()
    carrying = here.execute(sa.text("SELECT id FROM letters WHERE attachments <> '' ORDER BY id")).scalars().all()
    for letter_id in carrying:  # one in memory at a time: each may hold 20 MB
        mine = sa.text("SELECT attachments FROM letters WHERE id = :id")
        named = json.dumps([_kept(here, one) for one in json.loads(here.execute(mine, {"id": letter_id}).scalar_one())])
        row = {"id": letter_id, "named": named}
        here.execute(sa.text("UPDATE letters SET attachments = :named WHERE id = :id"), row)


def _kept(here: sa.Connection, one: dict[str, str]) -> dict[str, str]:
    data = base64.b64decode(one["data"])
    digest, moment = sha256(data).hexdigest(), sa.column("kept_at", sa.DateTime(timezone=True))
    if here.execute(sa.text("SELECT 1 FROM files WHERE digest = :digest"), {"digest": digest}).first() is None:
        files = sa.table("files", sa.column("digest"), sa.column("data", sa.LargeBinary), moment)
        here.execute(files.insert(), {"digest": digest, "data": data, "kept_at": clock.now()})
    return {"name": one["name"], "type": one["type"], "digest": digest}


def _what_holds_of_old_cases() -> None:
    """A case has its first vulnerability from the day it was opened; whom a letter reached has received a report."""
    op.execute(
        "INSERT INTO vulnerabilities (case_id, number, title, added_at) SELECT id, 1, title, opened_at FROM cases"
    )
    op.execute(
        "UPDATE participants SET first_contact_at ="
        " (SELECT min(sent_at) FROM letters WHERE letters.participant_id = participants.id)"
    )
    op.execute(
        "UPDATE participants SET rm = 'RECEIVED', aware_at = first_contact_at WHERE first_contact_at IS NOT NULL"
    )
    _clocks_of_old_cases()


def _clocks_of_old_cases() -> None:
    """Our planned date, and the silence of each vendor whose turn it is: the first beat puts it off to when it could
    hold by the house's own numbers.
    """
    op.execute(
        "INSERT INTO deadlines (case_id, kind, since, rung, due_at)"
        " SELECT id, 'publication', 'migrated', 1, planned_at FROM cases"
        " WHERE state = 'open' AND first_contact_at IS NOT NULL AND planned_at IS NOT NULL"
    )
    silent = sa.text(
        "INSERT INTO deadlines (case_id, participant_id, kind, since, rung, due_at)"
        " SELECT p.case_id, p.id, 'non-responsive', p.since, 1, :now FROM participants p JOIN cases c"
        " ON c.id = p.case_id WHERE c.state = 'open' AND p.waiting_on = 'them' AND p.since IS NOT NULL"
        " AND p.roles IN ('vendor', 'downstream')"
    )
    op.get_bind().execute(silent.bindparams(sa.bindparam("now", clock.now(), sa.DateTime(timezone=True))))


def _text(table: str, *names: str) -> None:
    for name in names:
        op.add_column(table, sa.Column(name, sa.Text(), server_default=sa.text("''"), nullable=False))


def _time(table: str, *names: str) -> None:
    for name in names:
        op.add_column(table, sa.Column(name, sa.DateTime(timezone=True), nullable=True))


def _id(table: str, name: str) -> None:
    op.add_column(table, sa.Column(name, WHOLE, nullable=True))


def downgrade() -> None:
    raise RuntimeError("what was agreed is not thrown away; restore a backup instead")
