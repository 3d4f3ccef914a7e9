"""Publication: dates that are agreed on, the note and its revisions, drafts that are shown, CVE IDs.

Revision 0004, after 0003. Only new tables and columns: no row is copied, on either database.
"""

import sqlalchemy as sa
from alembic import op

from mailrouter import clock

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:

    op.create_table(
        "revisions",
        sa.Column("id", WHOLE, autoincrement=True, nullable=False),
        sa.Column("case_id", WHOLE, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("draft", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("content", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("sha256", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("written_by", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("why", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("cause", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("emergency", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_revisions_case_id_cases")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_revisions")),
        sa.UniqueConstraint("case_id", "number", "draft", name=op.f("uq_revisions_case_id_number_draft")),
    )
    with op.batch_alter_table("revisions", schema=None) as batch_op:
        batch_op.create_index(
            "ix_revisions_released",
            ["released_at"],
            unique=False,
            sqlite_where=sa.text("decided_at IS NOT NULL"),
            postgresql_where=sa.text("decided_at IS NOT NULL"),
        )
        batch_op.create_index(
            "uq_revisions_decided",
            ["case_id", "number"],
            unique=True,
            sqlite_where=sa.text("decided_at IS NOT NULL"),
            postgresql_where=sa.text("decided_at IS NOT NULL"),
        )

    op.create_table(
        "addenda",
        sa.Column("participant_id", WHOLE, autoincrement=False, nullable=False),
        sa.Column("text", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("links", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.ForeignKeyConstraint(
            ["participant_id"], ["participants.id"], name=op.f("fk_addenda_participant_id_participants")
        ),
        sa.PrimaryKeyConstraint("participant_id", name=op.f("pk_addenda")),
    )
    op.create_table(
        "approvals",
        sa.Column("revision_id", WHOLE, autoincrement=False, nullable=False),
        sa.Column("analyst_id", WHOLE, autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sha256", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.ForeignKeyConstraint(["analyst_id"], ["analysts.id"], name=op.f("fk_approvals_analyst_id_analysts")),
        sa.ForeignKeyConstraint(["revision_id"], ["revisions.id"], name=op.f("fk_approvals_revision_id_revisions")),
        sa.PrimaryKeyConstraint("revision_id", "analyst_id", name=op.f("pk_approvals")),
    )
    op.create_table(
        "cve_orders",
        sa.Column("id", WHOLE, autoincrement=True, nullable=False),
        sa.Column("vulnerability_id", WHOLE, nullable=False),
        sa.Column("what", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("cve", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("record", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'wanted'"), nullable=False),
        sa.Column("wanted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("wanted_by", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("why", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("trouble", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.ForeignKeyConstraint(
            ["vulnerability_id"], ["vulnerabilities.id"], name=op.f("fk_cve_orders_vulnerability_id_vulnerabilities")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cve_orders")),
    )
    with op.batch_alter_table("cve_orders", schema=None) as batch_op:
        batch_op.create_index(
            "uq_cve_orders_wanted",
            ["vulnerability_id", "what"],
            unique=True,
            sqlite_where=sa.text("state = 'wanted'"),
            postgresql_where=sa.text("state = 'wanted'"),
        )

    op.create_table(
        "overrides",
        sa.Column("revision_id", WHOLE, autoincrement=False, nullable=False),
        sa.Column("condition", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("by", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["revision_id"], ["revisions.id"], name=op.f("fk_overrides_revision_id_revisions")),
        sa.PrimaryKeyConstraint("revision_id", "condition", name=op.f("pk_overrides")),
    )
    op.create_table(
        "cve_ids",
        sa.Column("cve", sa.Text(), nullable=False),
        sa.Column("order_id", WHOLE, nullable=True),
        sa.Column("vulnerability_id", WHOLE, nullable=True),
        sa.Column("state", sa.Text(), server_default=sa.text("'reserved'"), nullable=False),
        sa.Column("reserved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["order_id"], ["cve_orders.id"], name=op.f("fk_cve_ids_order_id_cve_orders")),
        sa.ForeignKeyConstraint(
            ["vulnerability_id"], ["vulnerabilities.id"], name=op.f("fk_cve_ids_vulnerability_id_vulnerabilities")
        ),
        sa.PrimaryKeyConstraint("cve", name=op.f("pk_cve_ids")),
    )
    op.create_table(
        "shown_drafts",
        sa.Column("revision_id", WHOLE, autoincrement=False, nullable=False),
        sa.Column("participant_id", WHOLE, autoincrement=False, nullable=False),
        sa.Column("letter_id", WHOLE, nullable=True),
        sa.Column("shown_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acknowledged_by", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("comment_id", WHOLE, nullable=True),
        sa.ForeignKeyConstraint(["comment_id"], ["messages.id"], name=op.f("fk_shown_drafts_comment_id_messages")),
        sa.ForeignKeyConstraint(["letter_id"], ["letters.id"], name=op.f("fk_shown_drafts_letter_id_letters")),
        sa.ForeignKeyConstraint(
            ["participant_id"], ["participants.id"], name=op.f("fk_shown_drafts_participant_id_participants")
        ),
        sa.ForeignKeyConstraint(["revision_id"], ["revisions.id"], name=op.f("fk_shown_drafts_revision_id_revisions")),
        sa.PrimaryKeyConstraint("revision_id", "participant_id", name=op.f("pk_shown_drafts")),
    )
    op.create_index("ix_shown_drafts_participant_id", "shown_drafts", ["participant_id"])
    op.create_table(
        "terms",
        sa.Column("id", WHOLE, autoincrement=True, nullable=False),
        sa.Column("case_id", WHOLE, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("zone", sa.Text(), server_default=sa.text("'UTC'"), nullable=False),
        sa.Column("participant_id", WHOLE, nullable=True),
        sa.Column("message_id", WHOLE, nullable=True),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("proposed_by", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("why", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'proposed'"), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("decided_why", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_terms_case_id_cases")),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("fk_terms_message_id_messages")),
        sa.ForeignKeyConstraint(
            ["participant_id"], ["participants.id"], name=op.f("fk_terms_participant_id_participants")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_terms")),
        sa.UniqueConstraint("case_id", "number", name=op.f("uq_terms_case_id_number")),
    )
    op.create_table(
        "consents",
        sa.Column("terms_id", WHOLE, autoincrement=False, nullable=False),
        sa.Column("participant_id", WHOLE, autoincrement=False, nullable=False),
        sa.Column("answer", sa.Text(), server_default=sa.text("'invited'"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.ForeignKeyConstraint(
            ["participant_id"], ["participants.id"], name=op.f("fk_consents_participant_id_participants")
        ),
        sa.ForeignKeyConstraint(["terms_id"], ["terms.id"], name=op.f("fk_consents_terms_id_terms")),
        sa.PrimaryKeyConstraint("terms_id", "participant_id", name=op.f("pk_consents")),
    )

    _add_columns()
    _what_was_agreed()
    _clocks_of_old_cases()


def _add_columns() -> None:
    """What the tables of 0001 to 0003 have besides."""
    _time("cases", "published_at", "not_published_at")
    _text("cases", "not_published_by", "not_published_why", "publish_ssvc", "share_ordered_by")
    _text("vulnerabilities", "cve_source")
    op.add_column("vulnerabilities", sa.Column("cve_vendor_id", WHOLE, nullable=True))
    _text("vulnerabilities", "cve_why")
    _time("vulnerabilities", "record_at")
    _text("vulnerabilities", "cwe", "cvss", "text")


def _what_was_agreed() -> None:
    """The embargo that a case has is its first terms; what each participant said to it stands with them."""
    op.execute(
        "INSERT INTO terms (case_id, number, ends_at, proposed_at, proposed_by, state, decided_at)"
        " SELECT id, 1, embargo_ends_at, COALESCE(first_contact_at, opened_at), 'mailrouter',"
        " 'agreed', COALESCE(first_contact_at, opened_at) FROM cases"
        " WHERE embargo IN ('ACTIVE', 'REVISE') AND embargo_ends_at IS NOT NULL"
    )
    op.execute(
        "INSERT INTO consents (terms_id, participant_id, answer, at)"
        " SELECT t.id, p.id, CASE p.consent WHEN 'SIGNATORY' THEN 'accepted' WHEN 'DECLINED' THEN 'declined'"
        " ELSE 'invited' END, t.proposed_at FROM terms t JOIN participants p ON p.case_id = t.case_id"
        " WHERE p.consent IN ('INVITED', 'SIGNATORY', 'DECLINED')"
    )


def _clocks_of_old_cases() -> None:
    """What is to be done before publication: the first beat puts each off to when it is due."""
    for kind in ("embargo", "draft", "alert", "reminder"):
        planned = sa.text(
            "INSERT INTO deadlines (case_id, kind, since, rung, due_at)"
            " SELECT id, :kind, 'migrated', 1, :now FROM cases"
            " WHERE state = 'open' AND first_contact_at IS NOT NULL AND planned_at IS NOT NULL"
        ).bindparams(sa.bindparam("kind", kind), sa.bindparam("now", clock.now(), sa.DateTime(timezone=True)))
        op.get_bind().execute(planned)


def _text(table: str, *names: str) -> None:
    for name in names:
        op.add_column(table, sa.Column(name, sa.Text(), server_default=sa.text("''"), nullable=False))


def _time(table: str, *names: str) -> None:
    for name in names:
        op.add_column(table, sa.Column(name, sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    raise RuntimeError("what was agreed is not thrown away; restore a backup instead")
