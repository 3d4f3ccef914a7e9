"""CERT/CC's shapes: their keys, their types, for every note there can be."""

import json
from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given

from mailrouter.case import note
from mailrouter.case.formats import vuls
from tests.case import notes

# What kb.cert.org answered for VU#421644 on 2026-08-19, and VINCE's vincepub/serializers.py.
NOTE_KEYS = {
    "vuid", "idnumber", "name", "keywords", "overview", "clean_desc", "impact", "resolution", "workarounds",
    "sysaffected", "thanks", "author", "public", "cveids", "certadvisory", "uscerttechnicalalert", "datecreated",
    "publicdate", "datefirstpublished", "dateupdated", "revision", "vrda_d1_directreport", "vrda_d1_population",
    "vrda_d1_impact", "cam_widelyknown", "cam_exploitation", "cam_internetinfrastructure", "cam_population",
    "cam_impact", "cam_easeofexploitation", "cam_attackeraccessrequired", "cam_scorecurrent",
    "cam_scorecurrentwidelyknown", "cam_scorecurrentwidelyknownexploited", "ipprotocol", "cvss_accessvector",
    "cvss_accesscomplexity", "cvss_authentication", "cvss_confidentialityimpact", "cvss_integrityimpact",
    "cvss_availabilityimpact", "cvss_exploitablity", "cvss_remediationlevel", "cvss_reportconfidence",
    "cvss_collateraldamagepotential", "cvss_targetdistribution", "cvss_securityrequirementscr",
    "cvss_securityrequirementsir", "cvss_securityrequirementsar", "cvss_basescore", "cvss_basevector",
    "cvss_temporalscore", "cvss_environmentalscore", "cvss_environmentalvector", "metric", "vulnote",
}  # fmt: skip
VENDOR_KEYS = {
    "note", "contact_date", "vendor", "references", "statement", "dateupdated", "statement_date", "addendum",
}  # fmt: skip
VUL_KEYS = {"note", "cve", "description", "uid", "case_increment", "date_added", "dateupdated"}
VENDOR_VUL_KEYS = {"vul", "vendor", "status", "date_added", "dateupdated", "references", "statement"}
DATES = {
    "datecreated",
    "publicdate",
    "datefirstpublished",
    "dateupdated",
    "contact_date",
    "statement_date",
    "date_added",
}


def shapes(edition):
    rows = [*vuls.vendors(edition), *vuls.vuls(edition), *vuls.vendor_vuls(edition)]
    return [vuls.note(edition), *rows]


@given(notes.editions())
def test_the_shapes_of_any_note(edition):
    the_keys_are_theirs(edition)
    every_value_is_json_and_every_time_is_in_utc(edition)
    nothing_that_was_said_is_lost(edition)


def the_keys_are_theirs(edition):
    assert set(vuls.note(edition)) == NOTE_KEYS
    assert all(set(one) == VENDOR_KEYS for one in vuls.vendors(edition))
    assert all(set(one) == VUL_KEYS for one in vuls.vuls(edition))
    assert all(set(one) == VENDOR_VUL_KEYS for one in vuls.vendor_vuls(edition))


def every_value_is_json_and_every_time_is_in_utc(edition):
    for one in shapes(edition):
        assert json.loads(json.dumps(one)) == one
        for key in DATES & set(one):
            assert one[key] is None or (one[key].endswith("Z") and datetime.fromisoformat(one[key]))


def nothing_that_was_said_is_lost(edition):
    for row, one in zip(vuls.vendors(edition), edition.note.vendors, strict=True):
        assert row["statement"] == (one.statement.text if one.statement else None)
        assert (row["addendum"] or "") == one.addendum
    assert len(vuls.vendor_vuls(edition)) == len(edition.note.vendors) * len(edition.note.vulnerabilities)


def test_the_plain_note():
    assert vuls.note(notes.FIRST) | {"vuid": "VU#123456", "idnumber": "123456", "revision": 1} == vuls.note(notes.FIRST)
    assert vuls.note(notes.FIRST)["cveids"] == ["CVE-2026-12345"]
    assert vuls.note(notes.FIRST)["datefirstpublished"] == "2026-03-02T09:00:00Z"
    assert vuls.vendors(notes.FIRST)[1] == {
        "note": "123456", "contact_date": "2026-01-16T09:00:00Z", "vendor": "Silent Ltd", "references": None,
        "statement": None, "dateupdated": None, "statement_date": None, "addendum": None,
    }  # fmt: skip
    assert vuls.vuls(notes.FIRST) == [{
        "note": "123456", "cve": "2026-12345", "description": "A length is not checked.", "uid": "CVE-2026-12345",
        "case_increment": 1, "date_added": "2026-03-02T09:00:00Z", "dateupdated": "2026-03-02T09:00:00Z",
    }]  # fmt: skip
    assert vuls.vendor_vuls(notes.FIRST)[0] == {
        "vul": "CVE-2026-12345", "vendor": "ACME", "status": "Affected", "date_added": "2026-01-16T09:00:00Z",
        "dateupdated": "2026-02-28T09:00:00Z", "references": None, "statement": "Fixed in: 2.4",
    }  # fmt: skip


def test_a_vulnerability_without_a_cve_has_our_number():
    without = notes.edition(vulnerabilities=(replace(notes.FLAW, cve="", text=""),))
    assert vuls.vuls(without)[0]["uid"] == vuls.vendor_vuls(without)[0]["vul"] == "VU#123456.1"
    assert vuls.vuls(without)[0]["cve"] is None
    assert vuls.vuls(without)[0]["description"] == "Length not checked"


def test_an_empty_impact_is_unknown():
    assert vuls.note(notes.edition(sections=replace(notes.SECTIONS, impact=" ")))["impact"] == note.IMPACT_UNKNOWN


@pytest.mark.parametrize(
    ("vectors", "base", "metric"),
    [
        ([""], None, None),
        (["CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"], None, None),
        (["AV:N/AC:L/Au:N/C:P/I:P/A:P"], "7.5", "N"),
        (["AV:N/AC:L/Au:N/C:P/I:P/A:P", "AV:L/AC:L/Au:N/C:C/I:C/A:C"], "7.5", "N"),
    ],
)
def test_the_score_is_of_version_2(vectors, base, metric):
    flaws = tuple(replace(notes.FLAW, number=one, cve="", cvss=vector) for one, vector in enumerate(vectors, 1))
    shape = vuls.note(notes.edition(vulnerabilities=flaws))
    assert (shape["cvss_basescore"], shape["cvss_accessvector"]) == (base, metric)
