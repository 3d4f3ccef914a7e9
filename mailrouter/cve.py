"""The CVE service: IDs reserved, listed, rejected; records published. The only door to cvelib.

Promises: one call ends within `SECONDS`, whatever the service does, and nothing is tried twice here; what is raised
tells whether the service refused (nothing was done) or nobody knows (`Unknown`). Its texts, and our key, are in none of
it. The key goes to the address that is configured and to no other: redirections are not followed.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from queue import Empty, SimpleQueue
from typing import Any, TypeVar
from urllib.parse import urljoin

import requests
from cvelib.cve_api import CveApi, CveRecord, CveRecordValidationError

from mailrouter import faults
from mailrouter.case import cveid
from mailrouter.settings.model import Cve

SECONDS = 30.0  # of one call, all its requests together
CONNECT_SECONDS = 10.0
LARGEST = 8 * 1024 * 1024  # octets of one answer
MOST_PAGES = 200

Done = TypeVar("Done")


class Refused(faults.Illegal):
    """The CVE service refused; nothing was done."""

    def __init__(self, code: str) -> None:
        super().__init__(f"the CVE service refused: {WORDS.get(code, code)}")
        self.code = code


class Unknown(faults.TryLater):
    """The CVE service did not answer as it should; nobody knows whether it did what was asked."""

    def __init__(self, code: str) -> None:
        super().__init__(f"the CVE service did not answer as it should: {WORDS.get(code, code)}")
        self.code = code


WORDS = {  # every code of ours -> what it says
    "account": "it does not know our account (cve.org, cve.user, cve.api_key)",
    "forbidden": "it does not let us do that",
    "not-there": "it knows nothing by that name",
    "exists": "the record is there already",
    "quota": "no CVE ID is left of our quota",
    "invalid": "it finds the record invalid",
    "busy": "too many requests; later again",
    "refused": "a request it does not understand",
    "timeout": "no answer in time",
    "unreachable": "it cannot be reached",
    "trouble": "it is in trouble itself",
    "garbage": "its answer cannot be read",
    "moved": "it sends us elsewhere; our key goes to cve.url alone",
}
_BY_CODE = {  # codes of the service's own that mean more than the status does
    "CVE_RECORD_EXISTS": "exists",
    "CVE_RECORD_DNE": "not-there",
    "EXCEEDED_ID_QUOTA": "quota",
    "INVALID_JSON_SCHEMA": "invalid",
}
_BY_STATUS = {401: "account", 403: "forbidden", 404: "not-there"}


@dataclass(frozen=True, slots=True)
class Known:
    """One CVE ID as the service knows it."""

    cve: str
    state: str  # reserved | published | rejected
    user: str  # whose account asked for it
    reserved_at: datetime


@dataclass(frozen=True, slots=True)
class Account:
    """That the account works, and how many IDs it may still reserve."""

    org: str
    user: str
    active: bool
    left: int


class Service:
    """The account, as the settings have it. Opens no connection by itself."""

    def __init__(self, account: Cve, seconds: float = SECONDS) -> None:
        if not account.url:
            raise faults.Refused("no CVE account is configured: set cve.url, org, user and api_key, or type the ID in")
        self._account = account
        self._seconds = seconds

    def reserve(self, year: int) -> Known:
        """One new CVE ID of this year. Not to be repeated: each call may reserve another."""
        return self._bounded(lambda api: _known(api.reserve(1, random=False, year=str(year))["cve_ids"][0]))

    def reserved_since(self, after: datetime) -> list[Known]:
        """The IDs that this account reserved since then and that are still only reserved, oldest first."""
        mine = self._account.user
        found = self._bounded(lambda api: [_known(one) for one in api.list_cves(state="reserved", reserved_gt=after)])
        return sorted((one for one in found if one.user == mine), key=lambda one: (one.reserved_at, one.cve))

    def show(self, cve: str) -> Known:
        """The ID as it stands; `Refused` ("not-there") for one the service does not know."""
        return self._bounded(lambda api: _known(api.show_cve_id(cve)))

    def record(self, cve: str) -> Mapping[str, Any] | None:
        """The CNA container of its public record; None when it has none."""
        try:
            return self._bounded(lambda api: dict(api.show_cve_record(cve)["containers"]["cna"]))
        except Refused as refused:
            if refused.code == "not-there":
                return None
            raise

    def publish(self, cve: str, container: Mapping[str, Any]) -> None:
        """Make its record public; `Refused` ("exists") when there is one."""
        self._bounded(lambda api: api.publish(cve, dict(container), validate=False))

    def update(self, cve: str, container: Mapping[str, Any]) -> None:
        """Put this in the place of its public record. The same again is harmless."""
        self._bounded(lambda api: api.update_published(cve, dict(container), validate=False))

    def reject(self, cve: str) -> None:
        """A reserved ID that nobody uses is one no more; `Refused` when it is reserved no longer."""
        self._bounded(lambda api: api.move_to_rejected(cve))

    def account(self) -> Account:
        """Whether the account works."""
        user, left = self._bounded(
            lambda api: (bool(api.show_user(self._account.user)["active"]), int(api.quota()["available"]))
        )
        return Account(self._account.org, self._account.user, user, left)

    def _bounded(self, do: Callable[[CveApi], Done]) -> Done:
        """In a thread of its own that is left behind once time is up: what drips for ever passes every other limit."""
        box: SimpleQueue[tuple[Done | None, BaseException | None]] = SimpleQueue()
        api = _Api(self._account, time.monotonic() + self._seconds)
        threading.Thread(target=_into, args=(box, do, api), name="cve", daemon=True).start()
        try:
            done, trouble = box.get(timeout=self._seconds)
        except Empty:
            raise Unknown("timeout") from None
        if trouble is not None:
            raise trouble
        return done  # type: ignore[return-value]  # None only with a trouble, or where None is the answer


def _into(box: "SimpleQueue[Any]", do: Callable[[CveApi], object], api: CveApi) -> None:
    try:
        box.put((do(api), None))
    except (Refused, Unknown) as trouble:
        box.put((None, trouble))
    except requests.JSONDecodeError:
        box.put((None, Unknown("garbage")))
    except requests.Timeout:
        box.put((None, Unknown("timeout")))
    except requests.RequestException:
        box.put((None, Unknown("unreachable")))
    except Exception:  # noqa: BLE001 - whatever cvelib makes of an answer that is none; what was asked may be done
        box.put((None, Unknown("garbage")))


class _Api(CveApi):  # type: ignore[misc]  # cvelib ships no types
    """cvelib with our limits on each request: time, size, no redirection, and troubles in our words."""

    def __init__(self, account: Cve, until: float) -> None:
        super().__init__(account.user, account.org, account.api_key, url=account.url.rstrip("/") + "/")
        self._until = until
        self._pages = 0

    def _http_request(self, method: str, path: str, **kwargs: Any) -> requests.Response:
        left = self._until - time.monotonic()
        self._pages += 1
        if left <= 0 or self._pages > MOST_PAGES:
            raise requests.Timeout
        headers = {"CVE-API-KEY": self.api_key, "CVE-API-ORG": self.org, "CVE-API-USER": self.username}
        response = requests.request(
            method, urljoin(self.url, path), headers=headers, allow_redirects=False, stream=True,
            timeout=(min(left, CONNECT_SECONDS), left), **kwargs,
        )  # fmt: skip
        with response:
            response._content = b"".join(_pieces(response))  # read once, and to its limit
        _judge(response)
        return response


def _pieces(response: requests.Response) -> Iterator[bytes]:
    read = 0
    for piece in response.iter_content(65536):
        read += len(piece)
        if read > LARGEST:
            raise Unknown("garbage")
        yield piece


def _judge(response: requests.Response) -> None:
    status = response.status_code
    if 200 <= status < 300:
        return
    if status >= 500:
        raise Unknown("trouble")
    if status == 429:
        raise Unknown("busy")
    if status < 400:
        raise Unknown("moved")
    raise Refused(_BY_CODE.get(_code(response), _BY_STATUS.get(status, "refused")))


def _code(response: requests.Response) -> str:
    try:
        return str(response.json()["error"])
    except (ValueError, KeyError, TypeError):
        return ""


def _known(raw: Mapping[str, Any]) -> Known:
    return Known(
        cveid.read(raw["cve_id"]),
        str(raw["state"]).lower(),
        str(raw["requested_by"]["user"]),
        datetime.fromisoformat(raw["reserved"]),
    )


# ---- offline ---------------------------------------------------------------------------------------------------------


def check(container: Mapping[str, Any]) -> None:
    """Hold a CNA container against the schema that cvelib brings along. `Refused` (of `faults`) names the places."""
    whole = json.loads(json.dumps(container)) | {"providerMetadata": {"orgId": "00000000-0000-4000-8000-000000000000"}}
    try:
        CveRecord.validate(whole, CveRecord.Schemas.CNA_PUBLISHED)
    except CveRecordValidationError as trouble:
        places = sorted({".".join(str(step) for step in one.absolute_path) or "the record" for one in trouble.errors})
        raise faults.Refused(f"the CVE record is not valid: see {', '.join(places[:5])}") from None
