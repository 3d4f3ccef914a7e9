"""One case, played by real mail: from its report to every vendor's answer (issue 5) and on to revision 2 (issue 6)."""

import re
from collections.abc import Callable

import pytest

from tests.journey.conftest import settings
from tests.journey.office import Office
from tests.journey.people import Organisation
from tests.journey.play import VU, Case, nobody_learns_of_another
from tests.servers.daemon import Daemon
from tests.servers.sink import Sink


@pytest.fixture
def office(serve: Callable[..., Daemon], smarthost: Sink, database_url: str) -> Office:
    """As it comes: whoever writes is told."""
    return Office(serve(database_url=database_url, **settings(smarthost), POLICY__ACKNOWLEDGE_HOURS="24"), smarthost)


@pytest.fixture
def played(office: Office, organisations: Callable[..., Organisation]) -> Case:
    """The whole play."""
    case = Case(office, organisations)
    case.play()
    return case


def test_from_a_report_to_every_vendors_answer(played: Case) -> None:
    office = played.office
    for command in (("case", "show", str(VU)), ("case", "timeline", str(VU)), ("journal", "show", str(VU))):
        print(f"$ mailrouter {' '.join(command)}", office.node.run(*command).stdout, sep="\n")
    stand = {
        one["name"]: (one["progress"], one["waiting_on"], *one["statuses"].values())
        for one in office.case(VU)["participants"]
    }
    assert stand == {
        "quiet@throwaway-mail.example": ("answered", "us"), "Acme": ("answered", "them", "Affected"),
        "Boltonics": ("answered", "us", "Not Affected"), "Cord": ("non-responsive", "them", "Unknown"),
        "Dune": ("answered", "us", "Affected"), "Echo": ("answered", "us", "Not Affected"),
    }  # fmt: skip
    raw = re.findall(r"(?m)^\S+ \S+  +([a-z]+\.[a-z-]+)  ", office.node.run("case", "timeline", str(VU)).stdout)
    assert raw == [], "told in words"
    assert office.node.json("books")["balanced"]
    assert office.node.json("journal", "verify")["good"]
    nobody_learns_of_another(played)
