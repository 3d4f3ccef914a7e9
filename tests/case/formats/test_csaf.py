"""CSAF documents, judged by Secvisogram's validator: the schema and every mandatory test, for any note there can be."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.case import note
from mailrouter.case.formats import csaf, csafflaws, paths
from tests.case import notes

PUBLISHERS = (notes.OURS, notes.NOWHERE, replace(notes.NOWHERE, name=""))


def products(document):
    return [
        (leaf["product"]["product_id"], leaf["product"]["name"])
        for branch in document["product_tree"]["branches"]
        for place in branch["branches"]
        for leaf in ([place] if "product" in place else place["branches"])
    ]


# ---- valid, whatever it holds ----------------------------------------------------------------------------------------


@given(notes.editions(), st.sampled_from(PUBLISHERS))
def test_any_edition_is_valid(csaf_judge, edition, publisher):
    document = csaf.document(edition, publisher)
    assert csaf_judge.findings(document) == []
    kept = note.Edition(note.from_json(note.to_json(edition.note)), edition.history)
    assert json.dumps(csaf.document(kept, publisher)) == json.dumps(document)


@given(notes.any_vectors)
def test_any_vector_is_valid(csaf_judge, vector):
    edition = notes.edition(vulnerabilities=(replace(notes.FLAW, cvss=vector),))
    assert csaf_judge.findings(csaf.document(edition, notes.OURS)) == []


def test_the_judge_finds_what_is_wrong(csaf_judge):
    document = csaf.document(notes.FIRST, notes.OURS)
    document["vulnerabilities"][0]["product_status"]["fixed"] = ["CSAFPID-0"]
    assert any("6_1_1 " in one for one in csaf_judge.findings(document))
    del document["document"]["title"]
    assert any("csaf_2_0_strict" in one for one in csaf_judge.findings(document))


@pytest.mark.parametrize("text", [*notes.HOSTILE, "]]>\x00 " * 200_000], ids=range(len(notes.HOSTILE) + 1))
def test_hostile_text_everywhere(csaf_judge, text):
    one = note.Vendor(
        **{name: getattr(notes.ACME, name) for name in note.Vendor.__slots__}
        | {
            "name": f"A{text}",
            "statuses": (note.Status(1, "Affected", text),),
            "statement": replace(notes.STATEMENT, text=text),
            "addendum": text,
            "links": (f"https://{text}",),
        }
    )
    sections = note.Sections(f"T{text}", text, text, text, text, text, (f"https://a/{text}",))
    flaw = replace(notes.FLAW, title=text, text=text, cvss=text, cwe=text, cve="")
    edition = notes.edition(sections=sections, vendors=(one,), vulnerabilities=(flaw,))
    document = csaf.document(edition, notes.OURS)
    assert csaf_judge.findings(document) == []
    if text.strip():
        assert text in [found["text"] for found in document["document"]["notes"]]


def test_121_vendors_are_valid(csaf_judge):
    document = csaf.document(notes.crowded(), notes.OURS)
    assert csaf_judge.findings(document) == []
    assert [len(flaw["involvements"]) for flaw in document["vulnerabilities"]] == [121] * 3


@pytest.mark.parametrize("twice", [{"name": "ACME"}, {"name": "ACME", "statement": None}])
def test_vendors_of_one_name_are_valid(csaf_judge, twice):
    edition = notes.edition(vendors=(notes.ACME, replace(notes.ACME, id=99, **twice)))
    assert csaf_judge.findings(csaf.document(edition, notes.OURS)) == []


# ---- what it says ----------------------------------------------------------------------------------------------------


def test_the_plain_note(csaf_judge):
    found = csaf.document(notes.FIRST, notes.OURS)
    head, [flaw] = found["document"], found["vulnerabilities"]
    assert (head["category"], head["title"]) == ("csaf_security_advisory", "A flaw in many parsers")
    assert head["publisher"]["namespace"] == "https://notes.cert.example"
    assert head["distribution"]["tlp"]["label"] == "WHITE"
    assert (head["tracking"]["id"], head["tracking"]["version"]) == ("VU#123456", "1")
    assert [one["url"] for one in head["references"]] == [
        "https://notes.cert.example/csaf/2026/vu_123456.json",
        "https://notes.cert.example/vuls/id/123456",
        "https://example.org/paper",
        "https://acme.example/advisory",
    ]
    assert (flaw["cve"], flaw["ids"][0]["text"], flaw["cwe"]["id"]) == ("CVE-2026-12345", "VU#123456.1", "CWE-79")
    assert flaw["scores"][0]["cvss_v3"]["baseScore"] == 9.8
    assert flaw["scores"][0]["products"] == ["CSAFPID-21"]
    [affected, fixed] = products(found)
    assert affected == ("CSAFPID-21", "ACME products (unspecified)")
    assert fixed[1] == "ACME products, fixed in 2.4"
    assert flaw["product_status"] == {"known_affected": ["CSAFPID-21"], "fixed": [fixed[0]]}
    assert [(one["status"], one["summary"]) for one in flaw["involvements"]] == [
        ("completed", "ACME: Affected; has answered."),
        ("contact_attempted", "Silent Ltd: Unknown; contacted on 2026-01-16, no answer."),
    ]
    assert flaw["remediations"] == [
        {"category": "vendor_fix", "details": "Fixed in 2.4.", "product_ids": ["CSAFPID-21"]}
    ]


@pytest.mark.parametrize(
    ("progress", "status", "fixed_in", "said", "place", "involved"),
    [
        ("suspected", "Unknown", "", False, None, "not_contacted"),
        ("not contacted", "Unknown", "", False, None, "not_contacted"),
        ("contacted", "Unknown", "", False, None, "contact_attempted"),
        ("undeliverable", "Unknown", "", False, None, "contact_attempted"),
        ("non-responsive", "Unknown", "", False, None, "contact_attempted"),
        ("acknowledged", "Unknown", "", False, None, "open"),
        ("answered", "Unknown", "", False, "under_investigation", "open"),
        ("disputed", "Unknown", "", False, "under_investigation", "disputed"),
        ("contacted", "Unknown", "", True, "under_investigation", "contact_attempted"),
        ("answered", "Affected", "", False, "known_affected", "open"),
        ("answered", "Affected", "2.4", False, "known_affected", "completed"),
        ("contacted", "Affected", "2.4", False, "known_affected", "contact_attempted"),
        ("answered", "Not Affected", "", False, "known_not_affected", "completed"),
        ("disputed", "Not Affected", "", False, "known_not_affected", "disputed"),
    ],
)
def test_a_vendor_s_place(csaf_judge, progress, status, fixed_in, said, place, involved):
    one = replace(
        notes.ACME, progress=progress, status=status, statuses=(note.Status(1, status, fixed_in),),
        statement=notes.STATEMENT if said else None,
    )  # fmt: skip
    found = csaf.document(notes.edition(vendors=(one,)), notes.OURS)
    [flaw] = found["vulnerabilities"]
    assert csaf_judge.findings(found) == []
    assert [name for name in flaw.get("product_status", {}) if name != "fixed"] == ([place] if place else [])
    assert ("fixed" in flaw.get("product_status", {})) == bool(fixed_in)
    assert [one["status"] for one in flaw["involvements"]] == [involved]
    assert found["document"]["category"] == ("csaf_security_advisory" if place else "csaf_base")
    assert ("product_tree" in found) == bool(place)


def test_without_vulnerabilities_it_has_the_base_profile(csaf_judge):
    found = csaf.document(notes.edition(vulnerabilities=(), vendors=(replace(notes.ACME, statuses=()),)), notes.OURS)
    assert csaf_judge.findings(found) == []
    assert found["document"]["category"] == "csaf_base"
    assert set(found) == {"document"}


def test_a_cve_id_is_given_once(csaf_judge):
    flaws = (notes.FLAW, replace(notes.FLAW, number=2))
    found = csaf.document(notes.edition(vulnerabilities=flaws), notes.OURS)
    assert csaf_judge.findings(found) == []
    assert [one.get("cve") for one in found["vulnerabilities"]] == ["CVE-2026-12345", None]
    assert found["vulnerabilities"][1]["ids"][1] == {"system_name": "CVE", "text": "CVE-2026-12345"}


@pytest.mark.parametrize(
    ("fixed_in", "category"),
    [("2.4", "product_version"), ("2.4 and later", "patch_level"), (">= 2", "patch_level"), ("ALL", "patch_level")],
)
def test_a_fix_that_is_a_range_is_no_version(csaf_judge, fixed_in, category):
    one = replace(notes.ACME, statuses=(note.Status(1, "Affected", fixed_in),))
    found = csaf.document(notes.edition(vendors=(one,)), notes.OURS)
    assert csaf_judge.findings(found) == []
    assert found["product_tree"]["branches"][0]["branches"][1]["branches"][0]["category"] == category


@pytest.mark.parametrize("vector", ["", "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", "nonsense"])
def test_what_has_no_place_among_the_scores_is_a_note(csaf_judge, vector):
    [flaw] = (found := csaf.document(notes.edition(vulnerabilities=(replace(notes.FLAW, cvss=vector),)), notes.OURS))[
        "vulnerabilities"
    ]
    assert csaf_judge.findings(found) == []
    assert "scores" not in flaw
    assert [one["text"] for one in flaw["notes"] if one["title"] == "CVSS"] == ([vector] if vector else [])


def test_ids_stay_through_revisions():
    later = note.Revised(2, notes.NOW + timedelta(days=9), "a statement")
    more = replace(notes.SILENT, status="Affected", statuses=(note.Status(1, "Affected", "2.4"),))
    revised = note.Edition(replace(notes.NOTE, vendors=(more, notes.ACME)), (*notes.FIRST.history, later))
    one, two = (csaf.document(edition, notes.OURS) for edition in (notes.FIRST, revised))
    assert set(products(one)) < set(products(two))
    assert one["document"]["tracking"]["id"] == two["document"]["tracking"]["id"]
    assert paths.csaf(notes.FIRST) == paths.csaf(revised) == "csaf/2026/vu_123456.json"
    assert two["document"]["tracking"]["version"] == "2"
    assert [item["summary"] for item in two["document"]["tracking"]["revision_history"]] == [
        "First published",
        "a statement",
    ]


# ---- small things ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "uri"),
    [
        ("https://example.org/a?b=c#d", "https://example.org/a?b=c#d"),
        ("https://example.org/ä b", "https://example.org/%C3%A4%20b"),
        ("https://example.org/%zz%20", "https://example.org/%25zz%20"),
        ("https://example.org/[1]", "https://example.org/%5B1%5D"),
        ("https://example.org/#a#b", ""),
        ("https://", ""),
        ("javascript:alert(1)", ""),
        ("", ""),
    ],
)
def test_addresses(address, uri):
    assert csaf.uri(address) == uri


def test_a_fix_has_one_id_however_its_words_are_spaced():
    assert csafflaws.product(notes.ACME, " 2.4 \n and up ") == csafflaws.product(notes.ACME, "2.4 and up")
    assert csafflaws.product(notes.ACME, " ") == "CSAFPID-21"
