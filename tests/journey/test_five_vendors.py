"""One case, played by real mail: from its report to every vendor's answer (issue 5) and on to revision 2 (issue 6)."""

import re
from collections.abc import Callable, Iterator

import pytest

from tests.journey.conftest import settings
from tests.journey.office import Office
from tests.journey.people import Gnupg, Organisation
from tests.journey.play import VU, nobody_learns_of_another
from tests.journey.publication import NOTES, Publication
from tests.servers import cveservice
from tests.servers.daemon import Daemon
from tests.servers.sink import Sink


@pytest.fixture
def service() -> Iterator[cveservice.CveService]:
    """Gives CVE IDs and takes records."""
    with cveservice.running() as made:
        yield made


@pytest.fixture
def office(serve: Callable[..., Daemon], smarthost: Sink, database_url: str, service: cveservice.CveService) -> Office:
    """As it comes: whoever writes is told; with an account at the CVE service, and a site."""
    account = {"URL": service.url, "ORG": cveservice.ORG, "USER": cveservice.USER, "API_KEY": cveservice.KEY}
    node = serve(
        database_url=database_url, **settings(smarthost), POLICY__ACKNOWLEDGE_HOURS="24", IDENTITY__NOTES_URL=NOTES,
        **{f"CVE__{name}": value for name, value in account.items()},
    )  # fmt: skip
    return Office(node, smarthost)


def test_from_a_report_to_revision_2(
    office: Office, organisations: Callable[..., Organisation], service: cveservice.CveService, reader: Gnupg
) -> None:
    case = Publication(office, organisations, service)
    case.play()
    every_vendor_has_answered(office)
    case.play_on(reader)
    for command in (("case", "show", str(VU)), ("case", "timeline", str(VU)), ("journal", "show", str(VU))):
        print(f"$ mailrouter {' '.join(command)}", office.node.run(*command).stdout, sep="\n")
    raw = re.findall(r"(?m)^\S+ \S+  +([a-z]+\.[a-z-]+)  ", office.node.run("case", "timeline", str(VU)).stdout)
    assert raw == [], "told in words"
    assert office.node.json("books")["balanced"]
    assert office.node.json("journal", "verify")["good"]
    nobody_learns_of_another(case)
    case.nobody_hidden_is_published()


def every_vendor_has_answered(office: Office) -> None:
    """How they stand then."""
    stand = {
        one["name"]: (one["progress"], one["waiting_on"], *one["statuses"].values())
        for one in office.case(VU)["participants"]
    }
    assert stand == {
        "quiet@throwaway-mail.example": ("answered", "us"), "Acme": ("answered", "them", "Affected"),
        "Boltonics": ("answered", "us", "Not Affected"), "Cord": ("non-responsive", "them", "Unknown"),
        "Dune": ("answered", "us", "Affected"), "Echo": ("answered", "us", "Not Affected"),
    }  # fmt: skip
