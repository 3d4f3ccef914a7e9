"""The names of a Web Key Directory, held against GnuPG's own."""

import pytest

from mailrouter.mail import webkey

KNOWN = {  # as `gpg-wks-client --print-wkd-hash` says; the first is the draft's own example (section 4.5)
    "Joe.Doe": "iy9q119eutrkn8s1mk4r39qejnbu3n5q",
    "cert": "3wpiy4cs8sc8t6jxdu76q9hjnmg7mczp",
    "CERT+x": "pgh3yq1d7fmad5mz1gfepu6uytqo7c8u",
    "sécurité": "pwjoy1zkweqmusj9dkmniz7pbf7mj1py",
}


@pytest.mark.parametrize("local", KNOWN)
def test_a_local_part_has_the_name_gpg_gives_it(local: str) -> None:
    assert webkey.local_hash(local) == KNOWN[local]


def test_both_layouts_and_a_policy() -> None:
    name = webkey.local_hash("cert")
    assert webkey.files({"Cert@CERT.example": b"key"}) == {
        ".well-known/openpgpkey/policy": b"",
        f".well-known/openpgpkey/hu/{name}": b"key",
        ".well-known/openpgpkey/cert.example/policy": b"",
        f".well-known/openpgpkey/cert.example/hu/{name}": b"key",
    }


def test_what_is_no_address_has_no_place() -> None:
    with pytest.raises(ValueError, match="not one mail address"):
        webkey.files({"../../etc@": b""})
