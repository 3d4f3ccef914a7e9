"""The CVE service's door: against a service on a real socket that answers as it should, or in every other way."""

import os
from collections.abc import Iterator
from datetime import timedelta

import pytest

from mailrouter import cve, faults
from mailrouter.settings.model import Cve
from tests.servers import cveservice
from tests.servers.clock import START, Clock
from tests.servers.cveservice import KEY, ORG, USER, CveService, Trouble

CONTAINER = {
    "descriptions": [{"lang": "en", "value": "A flaw"}],
    "affected": [{"vendor": "ACME", "product": "n/a", "defaultStatus": "affected"}],
    "references": [{"url": "https://cert.example/vuls/id/123456"}],
}


@pytest.fixture
def service() -> Iterator[CveService]:
    with cveservice.running(Clock()) as started:
        yield started


def door(service: CveService, seconds: float = 10.0, **otherwise: str) -> cve.Service:
    account = {"url": service.url, "org": ORG, "user": USER, "api_key": KEY} | otherwise
    return cve.Service(Cve(**account), seconds)


def test_the_life_of_an_id(service: CveService) -> None:
    ours = door(service)
    assert ours.account() == cve.Account(ORG, USER, active=True, left=100)
    made = ours.reserve(2026)
    assert made == cve.Known("CVE-2026-10001", "reserved", USER, START)
    assert ours.show(made.cve) == made
    assert ours.record(made.cve) is None
    ours.publish(made.cve, CONTAINER)
    assert ours.show(made.cve).state == "published"
    with pytest.raises(cve.Refused, match="there already"):
        ours.publish(made.cve, CONTAINER)
    ours.update(made.cve, CONTAINER)
    record = ours.record(made.cve)
    assert record is not None
    assert {name: record[name] for name in CONTAINER} == CONTAINER
    assert service.ids[made.cve].revisions == 2
    other = ours.reserve(2026).cve
    ours.reject(other)
    assert ours.show(other).state == "rejected"
    with pytest.raises(cve.Refused):
        ours.reject(other)


def test_what_this_account_reserved_since_then_over_all_pages(service: CveService) -> None:
    ours, clock = door(service), Clock()
    service.now = clock
    service.give()
    clock.forward(hours=1)
    wanted = [service.give() for _ in range(7)]
    service.give(user="somebody@cert.example")
    service.give(state="PUBLISHED")
    assert [one.cve for one in ours.reserved_since(START + timedelta(minutes=5))] == wanted
    assert service.requests("GET", "cve-id") == 3
    assert ours.reserved_since(clock()) == []


def test_without_an_account_ids_are_typed_in() -> None:
    with pytest.raises(faults.Refused, match="no CVE account is configured"):
        cve.Service(Cve())


REFUSED = [("401", "account"), ("403", "forbidden"), ("404", "not-there"), ("400", "refused")]
UNKNOWN = [
    ("429", "busy"), ("500", "trouble"), ("503", "trouble"), ("garbage", "garbage"), ("close", "unreachable"),
    ("elsewhere", "moved"),
]  # fmt: skip


@pytest.mark.parametrize(("how", "code"), REFUSED)
def test_a_refusal_is_one_and_its_text_goes_nowhere(service: CveService, how: str, code: str) -> None:
    service.next = [Trouble(how)]
    with pytest.raises(cve.Refused) as refused:
        door(service).reserve(2026)
    assert refused.value.code == code
    assert "text that must appear nowhere" not in str(refused.value)
    assert len(service.asked) == 1


@pytest.mark.parametrize("done", [False, True])
@pytest.mark.parametrize(("how", "code"), UNKNOWN)
def test_whether_it_was_done_nobody_knows(service: CveService, how: str, code: str, done: bool) -> None:
    service.next = [Trouble(how, done=done)]
    with pytest.raises(cve.Unknown) as unknown:
        door(service).reserve(2026)
    assert unknown.value.code == code
    assert KEY not in str(unknown.value)
    assert len(service.ids) == done  # it may well have been
    assert len(service.asked) == 1  # and nothing is tried twice


@pytest.mark.parametrize("how", ["late", "drip"])
def test_a_call_ends_in_its_time(service: CveService, how: str) -> None:
    service.next = [Trouble(how, done=True)]
    with pytest.raises(cve.Unknown, match="no answer in time"):
        door(service, 0.2).reserve(2026)


def test_a_wrong_account_and_an_empty_quota(service: CveService) -> None:
    with pytest.raises(cve.Refused, match="does not know our account"):
        door(service, api_key="wrong").account()
    service.quota = 0
    with pytest.raises(cve.Refused, match="no CVE ID is left"):
        door(service).reserve(2026)


def test_nobody_listens(service: CveService) -> None:
    with pytest.raises(cve.Unknown, match="cannot be reached"):
        door(service, url="http://127.0.0.1:1/api/").account()


def test_the_key_is_sent_to_no_other_address(service: CveService) -> None:
    service.next = [Trouble("elsewhere")]
    with pytest.raises(cve.Unknown):
        door(service).account()
    assert [path for _, path in service.asked] == [f"org/{ORG}/user/{USER}"]


def test_an_address_without_its_last_slash_is_the_same(service: CveService) -> None:
    assert door(service, url=service.url.rstrip("/")).account().left == 100


def test_records_are_checked_without_the_service() -> None:
    cve.check(CONTAINER)
    assert "providerMetadata" not in CONTAINER
    with pytest.raises(faults.Refused, match=r"not valid: see affected\.0"):
        cve.check(CONTAINER | {"affected": [{"vendor": "ACME"}]})
    assert "CVE_GENERATOR" not in os.environ
