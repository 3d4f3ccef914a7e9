"""The vendor-facing report of a case: every version as it was written, none ever changed."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from mailrouter.store.tables import descriptions


@dataclass(frozen=True, slots=True)
class Description:
    """One version. `files`: ASCII JSON, as letters name what they carry; the contents are in store/files.py."""

    id: int
    case_id: int
    version: int
    text: str
    files: str
    made_at: datetime
    made_by: str

    @property
    def attached(self) -> list[dict[str, str]]:
        """Name, type and digest of each."""
        return list(json.loads(self.files)) if self.files else []


def add(tx: Connection, row: dict[str, Any]) -> Description:
    """The next version; call with the case locked."""
    return Description(*tx.execute(insert(descriptions).returning(*descriptions.c), row).one())


def newest(tx: Connection, case_id: int) -> Description | None:
    """What vendors are told now; None before the first version."""
    row = tx.execute(_OF_CASE.where(descriptions.c.case_id == case_id).limit(1)).first()
    return Description(*row) if row else None


def versions(tx: Connection, case_id: int) -> list[Description]:
    """All of a case, the newest first."""
    return [Description(*row) for row in tx.execute(_OF_CASE.where(descriptions.c.case_id == case_id))]


_OF_CASE = select(descriptions).order_by(descriptions.c.version.desc())
