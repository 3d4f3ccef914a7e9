"""Our own addresses: made, read whatever a mail system did to their case, proved, and not to be forged or moved."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.mail import compose, ownaddress
from mailrouter.mail.ownaddress import SEPARATORS, Bounce, Claim, Mint, Order, Reply, Vouch

OURS = ("cert@cert.example", "vul@notes.example")
SECRET, OTHER = b"s" * 32, b"o" * 32
ids = st.integers(1, 2**40)
vus = st.integers(100, 9_999_999)
signs = st.sampled_from([s for s in SEPARATORS if s])


def mint(separator: str = "+", identity: str = OURS[0], secret: bytes = SECRET) -> Mint:
    return Mint(identity, separator, secret)


def claimed(*addresses: str, separator: str = "+") -> tuple[Claim, ...]:
    return ownaddress.claims(addresses, OURS, separator)


def proves(claim: Claim, participant: int, secret: bytes = SECRET) -> bool:
    assert isinstance(claim, Reply)
    return claim.holds(ownaddress.reply_token(secret, claim.vu, participant))


def test_what_they_look_like() -> None:
    """As OpenSSL computes them: the same in every version, since letters that left long ago are still answered."""
    assert mint().reply(123456, 17) == "cert+vu123456.lluyt3ln4bkjtuv4@cert.example"
    assert mint("=").bounce(42) == "cert=b42.u2aqge2d4oajcnjx@cert.example"


# ---- there and back -------------------------------------------------------------------------------------------------


@given(vu=vus, participant=ids, separator=signs, upper=st.booleans(), identity=st.sampled_from(OURS))
def test_a_reply_address_proves_its_participant_only(
    vu: int, participant: int, separator: str, upper: bool, identity: str
) -> None:
    address = mint(separator, identity).reply(vu, participant)
    assert compose.wire_address(address) == address
    (claim,) = claimed(address.upper() if upper else address.title(), separator=separator)
    assert isinstance(claim, Reply)
    assert claim.vu == vu
    assert proves(claim, participant)
    assert not proves(claim, participant + 1)
    assert not proves(claim, participant, OTHER)


@given(letter=ids, separator=signs, upper=st.booleans())
def test_a_bounce_address_proves_its_letter_only(letter: int, separator: str, upper: bool) -> None:
    address = mint(separator).bounce(letter)
    (claim,) = claimed(address.upper() if upper else address, separator=separator)
    assert claim == Bounce(letter, claim.token)
    assert claim.proved(SECRET)
    assert not claim.proved(OTHER)
    assert not Bounce(letter + 1, claim.token).proved(SECRET)


@given(voucher=ids, separator=signs)
def test_a_vouchers_address_proves_its_voucher_only(voucher: int, separator: str) -> None:
    (claim,) = claimed(mint(separator).vouch(voucher).upper(), separator=separator)
    assert claim == Vouch(voucher, claim.token)
    assert claim.proved(SECRET)
    assert not claim.proved(OTHER)
    assert not Vouch(voucher + 1, claim.token).proved(SECRET)
    assert not Bounce(voucher, claim.token).proved(SECRET)


@given(item=ids, analyst=ids, separator=signs)
def test_an_orders_address_is_one_analysts_only(item: int, analyst: int, separator: str) -> None:
    (claim,) = claimed(mint(separator).order(item, analyst).title(), separator=separator)
    assert claim == Order(item, claim.token)
    assert claim.proved(SECRET, analyst)
    assert not claim.proved(SECRET, analyst + 1)
    assert not claim.proved(OTHER, analyst)
    assert not Order(item + 1, claim.token).proved(SECRET, analyst)
    assert not Vouch(item, claim.token).proved(SECRET)


@given(number=st.integers(100, 9_999_999), participant=ids)
def test_one_purpose_proves_nothing_of_the_other(number: int, participant: int) -> None:
    (reply,) = claimed(mint().reply(number, participant))
    (bounce,) = claimed(mint().bounce(number))
    assert not Bounce(number, reply.token).proved(SECRET)
    assert not proves(Reply(number, bounce.token), participant)


@given(vu=vus, participant=ids, at=st.integers(0, 15), letter=st.sampled_from(string.ascii_lowercase + "234567"))
def test_any_other_token_proves_nothing(vu: int, participant: int, at: int, letter: str) -> None:
    (claim,) = claimed(mint().reply(vu, participant))
    assert isinstance(claim, Reply)
    forged = claim.token[:at] + letter + claim.token[at + 1 :]
    assert proves(Reply(vu, forged), participant) == (forged == claim.token)


def test_a_token_holds_eighty_bits() -> None:
    tokens = {mint().bounce(n).partition(".")[2].partition("@")[0] for n in range(1, 500)}
    assert len(tokens) == 499
    assert {len(token) for token in tokens} == {16}  # five bits each
    assert set("".join(tokens)) == set(string.ascii_lowercase + "234567")


# ---- what is none ---------------------------------------------------------------------------------------------------

GOOD = mint().reply(123456, 17)
TOKEN = GOOD.partition(".")[2].partition("@")[0]


@pytest.mark.parametrize(
    "address",
    [
        "", "@", "cert", "cert@cert.example", "cert+vu@cert.example", "cert+security@cert.example",
        f"cert+vu123456.{TOKEN}", f"cert+vu123456.{TOKEN}@evil.example", f"cert+vu123456.{TOKEN}@x.cert.example",
        f"other+vu123456.{TOKEN}@cert.example", f"cert-vu123456.{TOKEN}@cert.example",
        f"cert+vu123456{TOKEN}@cert.example", f"cert+vu123456.{TOKEN}a@cert.example",
        f"cert+vu123456.{TOKEN[:-1]}@cert.example", f"cert+vu0123456.{TOKEN}@cert.example",
        f"cert+vu12345678.{TOKEN}@cert.example", f"cert+vu12.{TOKEN}@cert.example",
        f"cert+b0.{TOKEN}@cert.example", f"cert+b{'9' * 19}.{TOKEN}@cert.example", f"cert+x7.{TOKEN}@cert.example",
        f"cert+vu\u0661\u0662\u0663.{TOKEN}@cert.example", f"cert+vu123456.{'1' * 16}@cert.example",
        f"cert+vu123456.{TOKEN}@\u212aert.example", GOOD.replace("e", "\u0435"), f"\u017f{GOOD}", f"x{GOOD}",
        f"cert+vu123456.{TOKEN}@cert.example@cert.example", f"{GOOD}\n", f" {GOOD}",
    ],
)  # fmt: skip
def test_what_claims_nothing(address: str) -> None:
    assert claimed(address) == ()


@given(st.lists(st.text(alphabet=st.characters() | st.sampled_from("cert+vub.@example27"), max_size=80)))
def test_nothing_is_raised_whatever_is_in_to_and_cc(addresses: list[str]) -> None:
    assert len(claimed(*addresses)) <= ownaddress.MOST_CLAIMS


def test_every_one_of_our_addresses_is_read() -> None:
    also = mint(identity=OURS[1]).reply(123456, 17)
    assert claimed(also) == claimed(GOOD)


def test_each_claim_once_in_the_order_of_the_addresses_and_not_too_many() -> None:
    bounces = [mint().bounce(n) for n in range(1, 50)]
    assert claimed(bounces[1], "x@y.example", bounces[0], bounces[1].upper()) == (
        *claimed(bounces[1]), *claimed(bounces[0])
    )  # fmt: skip
    assert len(claimed(*bounces)) == ownaddress.MOST_CLAIMS
    assert claimed(*["x@y.example"] * ownaddress.MOST_ADDRESSES, bounces[0]) == ()


@pytest.mark.parametrize("separator", SEPARATORS)
def test_another_separator_is_not_ours(separator: str) -> None:
    address = mint("+").bounce(7)
    assert bool(claimed(address, separator=separator)) == (separator == "+")


def test_without_a_separator_there_are_none() -> None:
    assert mint("").reply(123456, 17) == mint("").bounce(7) == ""


def test_an_identity_too_long_for_them_has_none() -> None:
    """RFC 5321 section 4.5.3.1.1: a local part has 64 octets. Letters then go out as they did before."""
    assert mint(identity="c" * 60 + "@cert.example").bounce(7) == ""
    assert mint(identity="c" * 44 + "@cert.example").bounce(7) != ""


def test_an_address_of_ours_that_no_letter_can_name_is_passed_over() -> None:
    odd = ("a..b@cert.example", *OURS)
    assert ownaddress.claims([GOOD], odd, "+") == claimed(GOOD)


def test_the_secret_is_not_shown() -> None:
    assert SECRET.decode() not in repr(mint())
