# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role certificates on this host, by itself: what it issues, renews and refuses."""

from __future__ import annotations

import datetime as dt
import os
import ssl
import typing as t
import venv

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.certificates import Pair, make_pair

if t.TYPE_CHECKING:
    from pathlib import Path

    from tests.role_host import Host

PLAY = """
- name: Run the role
  hosts: all
  gather_facts: false
  roles:
    - role: raylogs.efk.certificates
"""
IS_ROOT = os.geteuid() == 0
WORDS = "correct horse battery"


@pytest.fixture(autouse=True)
def prepared(host: Host) -> None:
    """Let the host run this role alone."""
    (host.folder / "play.yml").write_text(PLAY)
    host.variables = {
        "ansible_python_interpreter": host.variables["ansible_python_interpreter"],
        "certificates_dir": str(node(host)),
        "certificates_secrets_dir": str(host.secrets),
        "certificates_names": ["es1", "192.0.2.1", "not a name", "es1"],
        "certificates_common_name": "es1",
    }


def write_authority(authority: Pair, folder: Path, passphrase: str = "") -> dict[str, str]:
    """Write the files of a CA that the user has, and return the variables that name them."""
    folder.mkdir()
    (folder / "own.crt").write_bytes(authority.pem)
    (folder / "own.key").write_bytes(authority.key_pem(passphrase))
    (folder / "own.key").chmod(0o600)
    return {"certificates_ca_path": f"{folder}/own.crt", "certificates_ca_key_path": f"{folder}/own.key"}


def node(host: Host) -> Path:
    """Name the folder of the certificate on the node."""
    return host.folder / "node"


def issued(host: Host) -> x509.Certificate:
    """Read the certificate of the node, and demand that TLS takes it with its key, and that its CA issued it."""
    folder = node(host)
    ssl.create_default_context().load_cert_chain(folder / "node.crt", folder / "node.key")
    certificate = x509.load_pem_x509_certificate((folder / "node.crt").read_bytes())
    certificate.verify_directly_issued_by(x509.load_pem_x509_certificate((folder / "ca.crt").read_bytes()))
    return certificate


def check_first(host: Host) -> None:
    """Demand a certificate for these names, for servers and clients, from a CA whose key stays here."""
    certificate = issued(host)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["es1"]
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == ["192.0.2.1"]
    usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert set(usages) == {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH}
    assert certificate.not_valid_before_utc < dt.datetime.now(dt.timezone.utc) - dt.timedelta(hours=23)
    assert {path.name: oct(path.stat().st_mode & 0o777) for path in node(host).iterdir()} == {
        "ca.crt": "0o640",
        "node.crt": "0o640",
        "node.key": "0o600",
    }
    assert oct((host.secrets / "ca.key").stat().st_mode & 0o777) == "0o600"
    assert b"ENCRYPTED" in (host.secrets / "ca.key").read_bytes()


def test_a_certificate_is_issued_once_and_renewed_for_the_same_key(host: Host) -> None:
    host.variables["certificates_ca_passphrase"] = WORDS
    assert host.converge("--check").changed > 0
    assert not node(host).exists()
    assert not host.secrets.exists()
    run = host.converge("-vvv", "--diff")
    assert WORDS not in run.output
    check_first(host)
    first, key = issued(host), (node(host) / "node.key").read_bytes()
    assert host.converge().changed == 0
    host.variables["certificates_names"] = ["es2"]
    assert "would be issued, for it is for other names" in host.converge("--check").output
    assert issued(host) == first
    assert host.converge().changed == 1
    assert issued(host).serial_number != first.serial_number
    (node(host) / "node.key").chmod(0o644)
    assert host.converge().changed > 0
    assert oct((node(host) / "node.key").stat().st_mode & 0o777) == "0o600"
    assert (node(host) / "node.key").read_bytes() == key
    assert host.converge().changed == 0
    host.variables["certificates_ca_passphrase"] = WORDS[::-1]
    host.refuse("cannot be opened with this passphrase", "Set certificates_ca_passphrase")


def test_an_own_authority_takes_over(host: Host) -> None:
    assert host.converge().changed > 0
    own = make_pair("Our own CA", authority=True, days=(-2, 20))
    variables = write_authority(own, host.folder / "own", WORDS)
    host.refuse("is encrypted, and no passphrase was given", "Set certificates_ca_passphrase", **variables)
    variables["certificates_ca_passphrase"] = WORDS
    run = host.converge(**variables)
    assert run.changed == 1
    assert "ATTENTION: The certificate of localhost is valid for 19 days, its CA for 19 days" in run.output
    assert issued(host).issuer == own.certificate.subject
    assert (node(host) / "ca.crt").read_bytes() == own.pem
    assert host.converge(**variables).changed == 0, "a certificate that ends with its CA is not renewed for ever"


@pytest.mark.parametrize(
    ("authority", "words"),
    [
        pytest.param(make_pair("Old CA", authority=True, days=(-9, -1)), ["it ended at", "a new CA"], id="expired"),
        pytest.param(make_pair("New CA", authority=True, days=(1, 9)), ["it begins at", "Set the clock"], id="early"),
        pytest.param(make_pair("es1"), ["it is no CA but the certificate of CN=es1"], id="no authority"),
        pytest.param(
            make_pair("CA", authority=True)._replace(key=ec.generate_private_key(ec.SECP256R1())),
            ["it was made for another key than the one beside it"],
            id="another key",
        ),
    ],
)
def test_an_authority_that_cannot_be_used_is_refused(host: Host, authority: Pair, words: list[str]) -> None:
    host.refuse("Cannot issue certificates with the CA", *words, **write_authority(authority, host.folder / "own"))
    assert not node(host).exists()


def test_what_was_lost_or_replaced_is_refused(host: Host) -> None:
    host.converge()
    before = {path.name: path.read_bytes() for path in node(host).iterdir()}
    kept = (host.secrets / "ca.key").rename(host.folder / "kept.key")
    host.refuse("its key", "is lost. Restore", "from your copy", "give the new")
    (host.secrets / "ca.crt").rename(host.folder / "kept.crt")
    host.refuse("its CA is known to this node alone, for the control node has none. Restore")
    assert not list(host.secrets.glob("ca.*")), "no second CA"
    (host.folder / "kept.crt").rename(host.secrets / "ca.crt")
    kept.rename(host.secrets / "ca.key").chmod(0o640)
    host.refuse("others than its owner may read its key (mode 0640)", "chmod 600")
    (host.secrets / "ca.key").chmod(0o600)
    stranger = make_pair("es1")
    (node(host) / "node.crt").write_bytes(stranger.pem)
    host.refuse("it was made for another key", "its CA did not issue it (CN=es1 did)", "to have new ones made")
    (node(host) / "node.crt").write_bytes(before["node.crt"])
    assert {path.name: path.read_bytes() for path in node(host).iterdir()} == before
    assert host.converge().changed == 0


def test_a_node_without_the_library_is_foretold_or_refused(host: Host) -> None:
    bare = host.folder / "bare"
    venv.create(bare, with_pip=False)
    (host.folder / "hosts").write_text(f"localhost ansible_python_interpreter={bare}/bin/python\n")
    host.inventory = str(host.folder / "hosts")
    del host.variables["ansible_python_interpreter"]
    host.refuse(
        "its Python lacks the library cryptography",
        "Install the package python3-cryptography there",
        certificates_library_install=False,
    )
    if IS_ROOT:
        said = host.converge("--check").output
        assert "The package python3-cryptography would be installed." in said
        assert "A certificate would be issued, for there is none." in said
    assert not node(host).exists()


def test_days_that_cannot_be_kept_are_refused(host: Host) -> None:
    host.refuse("the first would be renewed by every run", certificates_days=30, certificates_renew_days=30)
