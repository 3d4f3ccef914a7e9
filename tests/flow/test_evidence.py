"""What our border server found, held against a case: who is believed, and by how much (testbook S25)."""

import pytest

from tests.flow.world import PSIRT, VENDOR, VU, MakeWorld, World

BORDER = "mx.cert.example"
COLLEAGUE = "jo@vendor.example"  # of the vendor's mail domain, on no file


@pytest.fixture
def house(worlds: MakeWorld) -> World:
    """One behind a border server that checks; the vendor has been written to."""
    world = worlds(TRUST__AUTHSERV_ID=BORDER)
    world.vendor_case()
    return world


BELIEVED = [
    f"Authentication-Results: {BORDER}; dmarc=pass header.from=vendor.example",
    f"Authentication-Results: {BORDER}; dkim=pass header.d=vendor.example header.s=a",
    f"Authentication-Results: {BORDER}; spf=pass smtp.mailfrom=psirt@vendor.example",
    f"Authentication-Results: {BORDER}; dkim=pass header.d=vendor.example; dmarc=none header.from=vendor.example",
]
NOT_BELIEVED = [
    "X-Nothing: at all",
    f"Authentication-Results: {BORDER}; dmarc=none header.from=vendor.example",
    f"Authentication-Results: {BORDER}; dmarc=fail header.from=vendor.example; spf=pass smtp.mailfrom=vendor.example",
    f"Authentication-Results: {BORDER}; dkim=pass header.d=evil.example; dmarc=pass header.from=evil.example",
    "Authentication-Results: mx.evil.example; dmarc=pass header.from=vendor.example",
    f"X-Authentication-Results: {BORDER}; dmarc=pass header.from=vendor.example",
    f"ARC-Authentication-Results: i=1; {BORDER}; dmarc=pass header.from=vendor.example",
    f"Authentication-Results: a.b; none\r\nAuthentication-Results: {BORDER}; dmarc=pass header.from=vendor.example",
]


@pytest.mark.row("S25")
@pytest.mark.parametrize("found", BELIEVED)
@pytest.mark.parametrize("sender", [PSIRT, COLLEAGUE])
def test_what_the_border_server_proved_is_an_answer(house: World, found: str, sender: str) -> None:
    got = house.fed(house.mail(sender, f"VU#{VU}", "We look into it.\r\n", found))
    assert (got.place, got.standing, got.participant_id) == ("filed", "authenticated", house.participant().id)
    assert house.turn() == "us"


@pytest.mark.row("S25")
@pytest.mark.parametrize("found", NOT_BELIEVED)
def test_anything_else_is_a_claim_and_no_answer(house: World, found: str) -> None:
    got = house.fed(house.mail(PSIRT, f"VU#{VU}", "We look into it.\r\n", found))
    assert (got.place, got.standing) == ("filed", "claimed")
    assert house.turn() == "them"
    other = house.fed(house.mail(COLLEAGUE, f"VU#{VU}", "Me too.\r\n", found))
    assert (other.place, other.standing, other.participant_id) == ("review", "stranger", None)


@pytest.mark.row("S25")
@pytest.mark.parametrize(
    "sender", [f'"{PSIRT}" <eve@evil.example>', f"{VENDOR} PSIRT <eve@evil.example>", "eve@vendor.example.evil.example"]
)
def test_a_proof_of_another_domain_is_a_strangers(house: World, sender: str) -> None:
    proof = f"Authentication-Results: {BORDER}; dkim=pass header.d=evil.example; dmarc=pass header.from=evil.example"
    got = house.fed(house.mail(sender, f"VU#{VU}: statement", "x\r\n", proof, reverse_path="eve@evil.example"))
    assert (got.place, got.standing, got.participant_id) == ("review", "stranger", None)
    assert (house.turn(), house.statements()) == ("them", [])
