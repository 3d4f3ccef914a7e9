"""What we know of a sender, and what a signature is worth: the table, cell by cell."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.case.standing import (
    Assurance,
    Evidence,
    Standing,
    assurance,
    parse,
    sender_organisation,
    standing,
    suspicion,
)

US, EVE = 1, 2  # two organisations
CONTACT = Evidence(well_formed=True, organisation_id=US, in_case=True, participant_organisation_id=US)
DOMAIN = Evidence(well_formed=True, domain_organisation_id=US, in_case=True, participant_organisation_id=US)
NOBODY = Evidence(well_formed=True, in_case=True)
GOOD = {"verdict": "good", "covers": "all", "signer_organisation_id": US}


@pytest.mark.parametrize(
    ("evidence", "level", "worth"),
    [
        (CONTACT, "claimed", "unsigned"),
        (replace(CONTACT, transport_pass=True), "authenticated", "unsigned"),
        (replace(CONTACT, **GOOD), "signed", "verified"),
        (replace(CONTACT, **GOOD, transport_pass=True), "signed", "verified"),
        (replace(CONTACT, **GOOD | {"covers": "part"}), "claimed", "partial"),
        (replace(CONTACT, **GOOD | {"covers": "part"}, transport_pass=True), "authenticated", "partial"),
        (replace(CONTACT, **GOOD | {"signer_organisation_id": EVE}), "claimed", "other-signer"),
        (replace(CONTACT, **GOOD | {"signer_organisation_id": None}), "claimed", "invalid"),
        (DOMAIN, "stranger", "unsigned"),
        (replace(DOMAIN, answers_us=True), "claimed", "unsigned"),
        (replace(DOMAIN, transport_pass=True), "authenticated", "unsigned"),
        (replace(DOMAIN, **GOOD), "signed", "verified"),
        # whoever says it is one of us is believed on proof alone (S25)
        (replace(CONTACT, internal=True), "stranger", "unsigned"),
        (replace(CONTACT, internal=True, answers_us=True), "stranger", "unsigned"),
        (replace(CONTACT, internal=True, transport_pass=True), "authenticated", "unsigned"),
        (replace(CONTACT, internal=True, **GOOD), "signed", "verified"),
        (replace(NOBODY, internal=True, transport_pass=True), "stranger", "unsigned"),
        (NOBODY, "stranger", "unsigned"),
        (replace(NOBODY, answers_us=True, transport_pass=True), "stranger", "unsigned"),
        (replace(NOBODY, **GOOD), "stranger", "other-signer"),
    ],
)
def test_the_table(evidence: Evidence, level: str, worth: str) -> None:
    assert (str(standing(evidence)), str(assurance(evidence))) == (level, worth)


@pytest.mark.parametrize(
    "verdict", ["bad", "unknown-key", "expired-key", "revoked-key", "expired-signature", "unsupported", "any new word"]
)
def test_whatever_is_not_good_is_invalid_and_lifts_nobody(verdict: str) -> None:
    evidence = replace(CONTACT, **GOOD | {"verdict": verdict})
    assert (standing(evidence), assurance(evidence)) == (Standing.CLAIMED, Assurance.INVALID)


@pytest.mark.row("S27")
@pytest.mark.row("P50")
def test_in_a_case_only_its_participants_are_anybody() -> None:
    elsewhere = Evidence(well_formed=True, organisation_id=EVE, in_case=True, **GOOD | {"signer_organisation_id": EVE})
    assert (standing(elsewhere), assurance(elsewhere)) == (Standing.STRANGER, Assurance.OTHER_SIGNER)
    no_case = replace(elsewhere, in_case=False)
    assert (standing(no_case), assurance(no_case)) == (Standing.SIGNED, Assurance.VERIFIED)


def test_an_analyst_who_vouches_for_one_gives_them_nobody_elses_signature() -> None:
    vouched_as_us = Evidence(
        well_formed=True, organisation_id=EVE, in_case=True, participant_organisation_id=US, verdict="good",
        covers="all", signer_organisation_id=EVE,
    )  # fmt: skip
    assert assurance(vouched_as_us) is Assurance.OTHER_SIGNER


@pytest.mark.row("P53")
def test_a_malformed_from_speaks_for_nobody() -> None:
    evidence = replace(CONTACT, **GOOD, transport_pass=True, answers_us=True, well_formed=False)
    assert sender_organisation(evidence) is None
    assert (standing(evidence), assurance(evidence)) == (Standing.STRANGER, Assurance.OTHER_SIGNER)


@pytest.mark.row("S25")
@pytest.mark.parametrize(
    ("evidence", "malformed", "doubt"),
    [
        (CONTACT, "", ""),
        (NOBODY, "", ""),
        (replace(NOBODY, internal=True), "", "it says it is from one of us, and nothing proves it"),
        (replace(CONTACT, internal=True), "", "it says it is from one of us, and nothing proves it"),
        (replace(NOBODY, internal=True, transport_pass=True), "", ""),
        (replace(CONTACT, internal=True, **GOOD), "", ""),
        (replace(CONTACT, internal=True, **GOOD | {"signer_organisation_id": EVE}), "",
         "it says it is from one of us, and nothing proves it"),
        (replace(CONTACT, well_formed=False), "several-from", "the From is malformed: several-from"),
        (replace(CONTACT, well_formed=False, transport_pass=True, internal=True), "group",
         "the From is malformed: group"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_from(evidence: Evidence, malformed: str, doubt: str) -> None:
    assert suspicion(evidence, malformed) == doubt


def test_a_registered_address_beats_its_mail_domain() -> None:
    evidence = Evidence(well_formed=True, organisation_id=US, domain_organisation_id=EVE)
    assert sender_organisation(evidence) == US


ids = st.sampled_from([None, US, EVE])
evidences = st.builds(
    Evidence, well_formed=st.booleans(), organisation_id=ids, domain_organisation_id=ids, transport_pass=st.booleans(),
    internal=st.booleans(), answers_us=st.booleans(), verdict=st.sampled_from(["none", "good", "bad", "unknown-key"]),
    covers=st.sampled_from(["none", "part", "all"]), signer_organisation_id=ids, in_case=st.booleans(),
    participant_organisation_id=ids,
)  # fmt: skip


@given(evidences)
def test_verified_means_all_of_it_at_once(evidence: Evidence) -> None:
    if assurance(evidence) is Assurance.VERIFIED:
        assert evidence.well_formed
        assert (evidence.verdict, evidence.covers) == ("good", "all")
        assert evidence.signer_organisation_id == sender_organisation(evidence) is not None
        assert not evidence.in_case or evidence.participant_organisation_id == evidence.signer_organisation_id


@given(evidences)
def test_signed_and_verified_are_one_thing(evidence: Evidence) -> None:
    assert (standing(evidence) is Standing.SIGNED) == (assurance(evidence) is Assurance.VERIFIED)


@given(evidences)
def test_more_evidence_never_lowers_anybody(evidence: Evidence) -> None:
    more = replace(evidence, transport_pass=True, answers_us=True)
    assert standing(more) >= standing(evidence)


def test_standings_rise_in_this_order_and_are_said_so() -> None:
    assert [str(level) for level in sorted(Standing)] == ["stranger", "claimed", "authenticated", "signed"]
    assert [parse(str(level)) for level in Standing] == list(Standing)
    with pytest.raises(KeyError):
        parse("trusted")
