"""A CVE service on this machine: speaks the CVE Services API as cvelib does, keeps its state, and fails on demand.

Real HTTP over a real socket. It checks the three headers of every request, pages its listings, filters by state and
time, validates records against the bundled schema, and answers a second publication as the real one does. What it is to
do wrong is queued in `next`: once the work is *done* or before, it answers late, closes, answers 429, 500, or garbage.
"""

import json
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cvelib.cve_api import CveRecord, CveRecordValidationError

ORG, USER, KEY = "cert", "mailrouter@cert.example", "s3cret-api-key"
ORG_ID = "b3476cb9-2e3d-41a6-98d0-0f47421a65b6"


@dataclass(frozen=True, slots=True)
class Trouble:
    """What goes wrong with one request: `how` late | close | garbage | a status; `done`: the work is done first."""

    how: str
    done: bool = False
    of: str = ""  # a method, as POST: only the next request of that kind; '' any


@dataclass
class Given:
    """One CVE ID."""

    cve: str
    state: str
    user: str
    reserved: datetime
    record: dict[str, Any] | None = None
    revisions: int = 0


@dataclass
class CveService:
    """The service's state, as tests look at it; `url` is what the settings want."""

    ids: dict[str, Given] = field(default_factory=dict)
    next: list[Trouble] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)  # (method, path) of every request, in order
    quota: int = 100
    page: int = 3  # IDs on one page of a listing
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    late: float = 0.5  # seconds that a late answer takes
    url: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def give(self, user: str = USER, state: str = "RESERVED") -> str:
        """Reserve one, as somebody with this account would; its ID."""
        with self.lock:
            return self._give(user, state)

    def _give(self, user: str, state: str = "RESERVED") -> str:
        cve = f"CVE-2026-{10001 + len(self.ids)}"
        self.ids[cve] = Given(cve, state, user, self.now())
        return cve

    def states(self) -> dict[str, str]:
        """Every ID and its state."""
        return {one.cve: one.state for one in self.ids.values()}

    def requests(self, method: str, path: str = "") -> int:
        """How often that was asked."""
        return sum(1 for made, where in self.asked if made == method and where.startswith(path))

    # ---- what it does ------------------------------------------------------------------------------------------------

    def answer(self, method: str, path: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
        """Status and JSON."""
        for verb, pattern, do in ROUTES:
            match = re.fullmatch(pattern, path)
            if match and verb == method:
                with self.lock:
                    return do(self, query, body, *match.groups())
        return 404, error("NO_SUCH_ROUTE")

    def reserve(self, query: dict[str, str], _body: Any) -> tuple[int, Any]:
        if query.get("short_name") != ORG or not re.fullmatch(r"[0-9]{4}", query.get("cve_year", "")):
            return 400, error("BAD_INPUT")
        amount = int(query["amount"])
        if self._left() < amount:
            return 403, error("EXCEEDED_ID_QUOTA")
        made = [self._give(USER) for _ in range(amount)]
        return 200, {"cve_ids": [self._shown(self.ids[cve]) for cve in made], "meta": {"remaining_quota": self._left()}}

    def _left(self) -> int:
        return self.quota - sum(1 for one in self.ids.values() if one.state == "RESERVED")

    def listed(self, query: dict[str, str], _body: Any) -> tuple[int, Any]:
        after = query.get("time_reserved.gt")
        since = datetime.fromisoformat(after) if after else datetime.min.replace(tzinfo=UTC)
        found = [
            self._shown(one)
            for one in self.ids.values()
            if one.reserved > since and query.get("state", one.state) == one.state
        ]
        page = int(query.get("page", "1"))
        there = found[(page - 1) * self.page : page * self.page]
        paging = {"totalCount": len(found), "itemsPerPage": self.page, "currentPage": page}
        more = page * self.page < len(found)
        return 200, {"cve_ids": there} | (paging | {"nextPage": page + 1 if more else None} if more or page > 1 else {})

    def show(self, _query: dict[str, str], _body: Any, cve: str) -> tuple[int, Any]:
        one = self.ids.get(cve)
        return (200, self._shown(one)) if one else (404, error("CVE_ID_NOT_FOUND"))

    def move(self, query: dict[str, str], _body: Any, cve: str) -> tuple[int, Any]:
        one = self.ids.get(cve)
        if one is None:
            return 404, error("CVE_ID_NOT_FOUND")
        if one.record is not None or one.state == query["state"]:
            return 403, error("CVE_ID_CANNOT_BE_MOVED")
        one.state = query["state"]
        return 200, {"message": f"{cve} record was successfully updated.", "updated": self._shown(one)}

    def record(self, _query: dict[str, str], _body: Any, cve: str) -> tuple[int, Any]:
        one = self.ids.get(cve)
        return (200, self._whole(one)) if one and one.record else (404, error("CVE_RECORD_DNE"))

    def publish(self, _query: dict[str, str], body: Any, cve: str) -> tuple[int, Any]:
        return self._kept(body, cve, "created")

    def update(self, _query: dict[str, str], body: Any, cve: str) -> tuple[int, Any]:
        return self._kept(body, cve, "updated")

    def _kept(self, body: Any, cve: str, done: str) -> tuple[int, Any]:
        one = self.ids.get(cve)
        if one is None:
            return 404, error("CVE_DNE")
        if (one.record is not None) == (done == "created"):
            return 403, error("CVE_RECORD_EXISTS" if one.record else "CVE_RECORD_DNE")
        try:
            CveRecord.validate(body["cnaContainer"], CveRecord.Schemas.CNA_PUBLISHED)
        except (KeyError, TypeError, CveRecordValidationError):
            return 400, error("INVALID_JSON_SCHEMA")
        one.record, one.state, one.revisions = body["cnaContainer"], "PUBLISHED", one.revisions + 1
        return 200, {"message": f"{cve} record was successfully {done}.", done: self._whole(one)}

    def org(self, _query: dict[str, str], _body: Any) -> tuple[int, Any]:
        return 200, {"UUID": ORG_ID, "short_name": ORG, "name": "CERT", "authority": {"active_roles": ["CNA"]}}

    def quotas(self, _query: dict[str, str], _body: Any) -> tuple[int, Any]:
        return 200, {"id_quota": self.quota, "total_reserved": self.quota - self._left(), "available": self._left()}

    def user(self, _query: dict[str, str], _body: Any) -> tuple[int, Any]:
        return 200, {"username": USER, "active": True, "authority": {"active_roles": []}}

    def _shown(self, one: Given) -> dict[str, Any]:
        return {
            "cve_id": one.cve, "cve_year": one.cve.split("-")[1], "state": one.state, "owning_cna": ORG,
            "requested_by": {"cna": ORG, "user": one.user}, "reserved": one.reserved.isoformat(),
        }  # fmt: skip

    def _whole(self, one: Given) -> dict[str, Any]:
        about = {"cveId": one.cve, "assignerOrgId": ORG_ID, "state": one.state, "assignerShortName": ORG}
        containers = {"cna": one.record}
        return {"dataType": "CVE_RECORD", "dataVersion": "5.1", "cveMetadata": about, "containers": containers}


def error(code: str) -> dict[str, str]:
    """As the service words a refusal; the text is nobody's business but its own."""
    return {"error": code, "message": f"{code}: a text that must appear nowhere of ours"}


Answered = Callable[..., tuple[int, Any]]
_CVE = r"(CVE-[0-9]{4}-[0-9]{4,19})"
ROUTES: tuple[tuple[str, str, Answered], ...] = (
    ("POST", r"/api/cve-id", CveService.reserve),
    ("GET", r"/api/cve-id", CveService.listed),
    ("GET", rf"/api/cve-id/{_CVE}", CveService.show),
    ("PUT", rf"/api/cve-id/{_CVE}", CveService.move),
    ("GET", rf"/api/cve/{_CVE}", CveService.record),
    ("POST", rf"/api/cve/{_CVE}/cna", CveService.publish),
    ("PUT", rf"/api/cve/{_CVE}/cna", CveService.update),
    ("GET", rf"/api/org/{ORG}", CveService.org),
    ("GET", rf"/api/org/{ORG}/id_quota", CveService.quotas),
    ("GET", rf"/api/org/{ORG}/user/{re.escape(USER)}", CveService.user),
)


class _Door(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    service: CveService

    def _do(self) -> None:
        of = self.service
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"null")
        where = urlsplit(self.path)
        with of.lock:
            of.asked.append((self.command, where.path.removeprefix("/api/")))
            trouble = next((one for one in of.next if one.of in ("", self.command)), None)
            if trouble:
                of.next.remove(trouble)
        query = {name: values[0] for name, values in parse_qs(where.query).items()}
        if trouble is None or trouble.done:
            status, said = self._judged(where.path, query, body)
        if trouble is None:
            return self._say(status, json.dumps(said).encode())
        return self._fail(trouble.how)

    def _judged(self, path: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
        given = [self.headers.get(f"CVE-API-{name}") for name in ("KEY", "ORG", "USER")]
        if given != [KEY, ORG, USER]:
            return 401, error("UNAUTHORIZED")
        return self.service.answer(self.command, path, query, body)

    def _fail(self, how: str) -> None:
        self.close_connection = True
        match how:
            case "late":
                time.sleep(self.service.late)
            case "close":
                pass
            case "garbage":
                self._say(200, b"<html>\xff not JSON")
            case "drip":
                self._drip()
            case "elsewhere":
                self._say(302, b"", location=f"{self.service.url}elsewhere")
            case status:
                self._say(int(status), json.dumps(error("SERVICE")).encode())

    def _drip(self) -> None:
        """One octet at a time, for ever: no read of it ever waits long."""
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        try:
            for _ in range(1000):
                self.wfile.write(b" ")
                time.sleep(0.02)
        except OSError:
            return  # the other side has had enough

    def _say(self, status: int, content: bytes, *, location: str = "") -> None:
        self.send_response(status)
        if location:
            self.send_header("Location", location)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name in the standard library
        """Nothing: what was asked is kept as data."""

    do_GET = do_POST = do_PUT = _do  # noqa: N815 - their names in the standard library


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that dies in the middle is what tests do; anything else is shown."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def running(now: Callable[[], datetime] | None = None) -> Iterator[CveService]:
    """A service with an empty state, until the block ends."""
    service = CveService(**({"now": now} if now else {}))
    door = type("Door", (_Door,), {"service": service})
    server = _Server(("127.0.0.1", 0), door)
    service.url = f"http://127.0.0.1:{server.server_address[1]}/api/"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
