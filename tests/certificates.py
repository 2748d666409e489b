# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates as tests need them: good ones and bad ones."""

from __future__ import annotations

import datetime as dt
import ipaddress
import typing as t

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NAMES: list[x509.GeneralName] = [
    x509.DNSName("es1"),
    *map(x509.IPAddress, map(ipaddress.ip_address, ("127.0.0.1", "192.0.2.1"))),
]


class Pair(t.NamedTuple):
    """A certificate and its key."""

    key: t.Any
    certificate: x509.Certificate

    @property
    def pem(self) -> bytes:
        """Return the certificate as it is written into files."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def key_pem(self, passphrase: str = "") -> bytes:
        """Return the key as it is written into files."""
        encryption: serialization.KeySerializationEncryption = (
            serialization.BestAvailableEncryption(passphrase.encode()) if passphrase else serialization.NoEncryption()
        )
        octets: bytes = self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
        )
        return octets


def make_pair(
    name: str,
    *,
    issuer: Pair | None = None,
    key: t.Any = None,
    authority: bool | None = False,
    days: tuple[float, float] = (-2, 1000.5),
) -> Pair:
    """Make a certificate that is valid between these days from now; authority None leaves its extensions out."""
    own, now = key or ec.generate_private_key(ec.SECP256R1()), dt.datetime.now(dt.timezone.utc)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + dt.timedelta(days=days[0]))
        .not_valid_after(now + dt.timedelta(days=days[1]))
    )
    if authority is not None:
        builder = builder.add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        builder = builder.add_extension(x509.SubjectAlternativeName(NAMES), critical=False)
    signer = issuer.key if issuer else own
    # Keys of Ed25519 bring their own hash.
    return Pair(own, builder.sign(signer, hashes.SHA256() if hasattr(signer, "key_size") else None))
