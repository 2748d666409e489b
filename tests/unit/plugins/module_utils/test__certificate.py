# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What certificates and keys say, and what is found wrong with them."""

from __future__ import annotations

import datetime as dt
import typing as t

import pytest
from ansible_collections.raylogs.efk.plugins.module_utils import _certificate
from ansible_collections.raylogs.efk.plugins.module_utils._certificate import CertificateError, inspect
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa

from tests.certificates import Pair, make_pair

if t.TYPE_CHECKING:
    from pathlib import Path

NOW = dt.datetime.now(dt.timezone.utc)
CA = make_pair("CA", authority=True)
OTHER_CA = make_pair("CA", authority=True)
NODE = make_pair("es1", issuer=CA)
BETWEEN = make_pair("Between", issuer=CA, authority=True)
DEEP = make_pair("es2", issuer=BETWEEN)


class Place:
    """A folder with the files of a host."""

    def __init__(self, folder: Path) -> None:
        """Name them; none is there."""
        self.files = {"certificate": folder / "node.crt", "key": folder / "node.key", "ca": folder / "ca.crt"}

    def look(self, given: bytes = b"", **contents: bytes) -> dict[str, t.Any]:
        """Write these files and inspect them."""
        for name, content in contents.items():
            self.files[name].write_bytes(content)
            self.files[name].chmod(0o600)
        paths = {f"{name}_path": str(path) for name, path in self.files.items()}
        return inspect({**paths, "ca_content": given.decode() or None, "key_passphrase": None}, NOW)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Give an empty folder."""
    return Place(tmp_path)


def test_nothing_is_there(place: Place) -> None:
    answer = place.look()
    assert answer["exists"] == {"certificate": False, "key": False, "ca": False}
    assert (answer["certificate"], answer["ca"], answer["ca_current"], answer["troubles"]) == (None, None, None, {})


def test_all_is_well(place: Place) -> None:
    answer = place.look(CA.pem, certificate=NODE.pem, key=NODE.key_pem(), ca=CA.pem)
    assert answer["troubles"] == {}
    assert answer["ca_current"] is True
    assert answer["content"] == NODE.pem.decode()
    assert answer["ca"]["authority"] is True
    described = answer["certificate"]
    assert described["names"] == ["DNS:es1", "IP:127.0.0.1", "IP:192.0.2.1"]
    assert (described["subject"], described["issuer"]) == ("CN=es1", "CN=CA")
    assert described["days_left"] in {999, 1000}
    assert described["authority"] is False


@pytest.mark.parametrize(
    ("contents", "given", "troubles"),
    [
        pytest.param({"certificate": NODE.pem, "key": DEEP.key_pem()}, b"", {"mismatch"}, id="another key"),
        pytest.param({"certificate": NODE.pem, "ca": OTHER_CA.pem}, b"", {"foreign"}, id="a CA of the same name"),
        pytest.param({"certificate": NODE.pem, "ca": OTHER_CA.pem}, CA.pem, set(), id="the CA that comes"),
        pytest.param({"certificate": DEEP.pem, "ca": CA.pem}, b"", {"foreign"}, id="one between is missing"),
        pytest.param({"certificate": DEEP.pem + BETWEEN.pem, "ca": CA.pem}, b"", set(), id="one between"),
        pytest.param({"certificate": DEEP.pem, "ca": BETWEEN.pem + CA.pem}, b"", set(), id="one between in the CA"),
        pytest.param({"certificate": b"no certificate"}, b"", {"certificate"}, id="no certificate"),
        pytest.param({"certificate": NODE.pem.replace(b"M", b"*")}, b"", {"certificate"}, id="a damaged certificate"),
        pytest.param({"ca": b"\xff"}, b"no", {"ca", "ca_content"}, id="no CA"),
        pytest.param({"key": b"no key"}, b"", {"key"}, id="no key"),
        pytest.param({"key": NODE.key_pem("words")}, b"", {"key"}, id="an encrypted key"),
        pytest.param({"certificate": make_pair("x", days=(-9, -1)).pem}, b"", {"expired"}, id="ended"),
        pytest.param({"certificate": make_pair("x", days=(1, 9)).pem}, b"", {"early"}, id="not begun"),
        pytest.param({"certificate": make_pair("x", authority=None).pem}, b"", set(), id="without extensions"),
    ],
)
def test_what_is_wrong(place: Place, contents: dict[str, bytes], given: bytes, troubles: set[str]) -> None:
    assert set(place.look(given, **contents)["troubles"]) == troubles


def test_a_key_that_others_may_read(place: Place) -> None:
    place.look(key=NODE.key_pem())
    place.files["key"].chmod(0o640)
    assert place.look()["troubles"] == {"shared": "others than its owner may read its key (mode 0640)"}


@pytest.mark.parametrize(
    ("written", "given", "words"),
    [
        pytest.param("", "words", "is not encrypted, but a passphrase was given", id="needless"),
        pytest.param("words", None, "is encrypted, and no passphrase was given", id="missing"),
        pytest.param("words", "other", "cannot be opened with this passphrase", id="wrong"),
    ],
)
def test_passphrases(written: str, given: str | None, words: str) -> None:
    with pytest.raises(CertificateError, match=words):
        _certificate.read_key(NODE.key_pem(written), given)


@pytest.mark.parametrize(
    ("key", "signed"),
    [
        pytest.param(rsa.generate_private_key(65537, 2048), True, id="RSA"),
        pytest.param(ed25519.Ed25519PrivateKey.generate(), True, id="Ed25519"),
        pytest.param(ec.generate_private_key(ec.SECP384R1()), True, id="elliptic curve"),
        pytest.param(dsa.generate_private_key(2048), False, id="a kind that nobody uses"),
    ],
)
def test_kinds_of_keys(key: t.Any, *, signed: bool) -> None:
    authority = make_pair("CA", key=key, authority=True)
    assert _certificate.is_signed_by(make_pair("x", issuer=authority).certificate, authority.certificate) is signed
    stranger = Pair(key, make_pair("CA", authority=True).certificate)
    assert not _certificate.is_signed_by(make_pair("x", issuer=authority).certificate, stranger.certificate)


def test_a_chain_without_end() -> None:
    links = [make_pair("0", authority=True)]
    for number in range(1, 15):
        links.append(make_pair(str(number), issuer=links[-1], authority=True))
    chain = [link.certificate for link in reversed(links)]
    assert not _certificate.leads_to(chain, [links[0].certificate])
    assert _certificate.leads_to(chain[-5:], [links[0].certificate])


def test_without_the_library_only_files_are_seen(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_certificate, "LIBRARY", False)
    answer = place.look(certificate=NODE.pem, key=NODE.key_pem())
    assert (answer["library"], answer["certificate"]) == (False, None)
    assert answer["exists"] == {"certificate": True, "key": True, "ca": False}


def test_a_library_that_knows_no_time_zones() -> None:
    class Naive:
        not_valid_after = NOW.replace(tzinfo=None)

    assert _certificate.moment(t.cast("t.Any", Naive()), "not_valid_after").tzinfo is dt.timezone.utc
