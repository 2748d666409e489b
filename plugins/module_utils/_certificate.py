# SPDX-FileCopyrightText: Contributors to the raylogs.efk project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read certificates and keys, and say what is wrong with them."""

from __future__ import annotations

import binascii
import datetime as dt
import pathlib
import re
import stat
import typing as t

try:
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
except ImportError:
    LIBRARY = False
else:
    LIBRARY = True

PEM = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
DAY = dt.timedelta(days=1)
LONGEST_CHAIN = 10
OTHERS = stat.S_IRWXG | stat.S_IRWXO


class CertificateError(Exception):
    """A file that cannot be used; the text says why."""


class Described(t.NamedTuple):
    """What a certificate says."""

    subject: str
    issuer: str
    names: list[str]
    """The names and addresses it is for, as DNS:es1 and IP:192.0.2.1, in order."""
    begins: str
    ends: str
    days_left: int
    """Whole days until it ends, negative when it has ended."""
    authority: bool
    """Whether it may issue others."""
    fingerprint: str


def read_certificates(text: str) -> list[x509.Certificate]:
    """Return the certificates of a PEM text, at least one.

    :raises CertificateError: when there is none, or one is damaged.
    """
    blocks = PEM.findall(text)
    if not blocks:
        raise CertificateError("holds no certificate in PEM form")
    try:
        return [x509.load_pem_x509_certificate(block.encode()) for block in blocks]
    except (ValueError, binascii.Error) as error:
        raise CertificateError("holds a damaged certificate") from error


def read_key(text: bytes, passphrase: str | None) -> t.Any:
    """Return a private key.

    :raises CertificateError: when it is none, or the passphrase does not open it.
    """
    try:
        return serialization.load_pem_private_key(text, passphrase.encode() if passphrase else None)
    except TypeError as error:
        why = (
            "is not encrypted, but a passphrase was given"
            if passphrase
            else "is encrypted, and no passphrase was given"
        )
        raise CertificateError(why) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        why = "cannot be opened with this passphrase" if passphrase else "is no key in PEM form"
        raise CertificateError(why) from error


def moment(certificate: x509.Certificate, name: str) -> dt.datetime:
    """Return when a certificate begins or ends; releases of the library before 42 know it without a time zone alone."""
    aware = getattr(certificate, f"{name}_utc", None)
    found: dt.datetime = aware or getattr(certificate, name).replace(tzinfo=dt.timezone.utc)
    return found


def names_of(certificate: x509.Certificate) -> list[str]:
    """Return the names and addresses that a certificate is for."""
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    names = [f"DNS:{name}" for name in extension.get_values_for_type(x509.DNSName)]
    return sorted([*names, *(f"IP:{address}" for address in extension.get_values_for_type(x509.IPAddress))])


def is_authority(certificate: x509.Certificate) -> bool:
    """Say whether a certificate may issue others."""
    try:
        return bool(certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca)
    except x509.ExtensionNotFound:
        return False


def describe_certificate(certificate: x509.Certificate, now: dt.datetime) -> Described:
    """Return what a certificate says."""
    ends = moment(certificate, "not_valid_after")
    return Described(
        subject=certificate.subject.rfc4514_string(),
        issuer=certificate.issuer.rfc4514_string(),
        names=names_of(certificate),
        begins=moment(certificate, "not_valid_before").isoformat(),
        ends=ends.isoformat(),
        days_left=(ends - now) // DAY,
        authority=is_authority(certificate),
        fingerprint=certificate.fingerprint(hashes.SHA256()).hex(),
    )


def is_signed_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Say whether the key of another certificate signed this one."""
    if certificate.issuer != issuer.subject:
        return False
    key: t.Any = issuer.public_key()
    signed = (certificate.signature, certificate.tbs_certificate_bytes)
    algorithm = certificate.signature_hash_algorithm
    # Releases of the library before 41 do not say how an RSA key was used: as nearly always, then.
    parameters = getattr(certificate, "signature_algorithm_parameters", None)
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(*signed, parameters or padding.PKCS1v15(), t.cast("t.Any", algorithm))
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(*signed, ec.ECDSA(t.cast("t.Any", algorithm)))
        else:
            key.verify(*signed)
    except (InvalidSignature, TypeError, ValueError, AttributeError):
        return False
    return True


def leads_to(chain: t.Sequence[x509.Certificate], authorities: t.Collection[x509.Certificate]) -> bool:
    """Say whether the first certificate of a chain was issued by one of the authorities, or by one that they issued."""
    current = chain[0]
    for _step in range(LONGEST_CHAIN):
        if current in authorities or any(is_signed_by(current, authority) for authority in authorities):
            return True
        following = [issuer for issuer in chain[1:] if is_signed_by(current, issuer) and issuer != current]
        if not following:
            return False
        current = following[0]
    return False


def public_octets(key: t.Any) -> bytes:
    """Return a public key in a form that can be compared."""
    octets: bytes = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return octets


def read_if_there(path: str | None) -> bytes | None:
    """Return the octets of a file, or nothing where there is none.

    :raises OSError: when it is there but cannot be read.
    """
    try:
        return pathlib.Path(path).read_bytes() if path else None
    except (FileNotFoundError, NotADirectoryError):
        return None


class Files(t.NamedTuple):
    """What a host holds."""

    certificate: str | None
    key: bytes | None
    key_mode: int
    ca: str | None


def read_files(params: t.Mapping[str, t.Any]) -> Files:
    """Read the files that the options name, as far as they are there.

    :raises OSError: when one is there but cannot be read.
    """
    certificate, key, ca = (read_if_there(params[name]) for name in ("certificate_path", "key_path", "ca_path"))
    return Files(
        None if certificate is None else certificate.decode("utf-8", "replace"),
        key,
        0 if key is None else stat.S_IMODE(pathlib.Path(params["key_path"]).stat().st_mode),
        None if ca is None else ca.decode("utf-8", "replace"),
    )


def parsed(text: str | None, name: str, troubles: dict[str, str]) -> list[x509.Certificate]:
    """Return the certificates of a file, and note what is wrong with it."""
    try:
        return read_certificates(text) if text is not None else []
    except CertificateError as error:
        troubles[name] = f"it {error}"
        return []


def check_dates(found: Described, now: dt.datetime) -> dict[str, str]:
    """Say whether a certificate is valid now."""
    if found.days_left < 0:
        return {
            "expired": f"it ended at {found.ends}, and this host says that it is {now.isoformat(timespec='seconds')}"
        }
    if dt.datetime.fromisoformat(found.begins) > now:
        return {
            "early": f"it begins at {found.begins}, and this host says that it is {now.isoformat(timespec='seconds')}"
        }
    return {}


def check_key(files: Files, params: t.Mapping[str, t.Any], chain: t.Sequence[x509.Certificate]) -> dict[str, str]:
    """Say whether a key is readable for its owner alone, can be opened, and belongs to the certificate."""
    troubles = {}
    if files.key is None:
        return {}
    if files.key_mode & OTHERS:
        troubles["shared"] = f"others than its owner may read its key (mode {files.key_mode:04o})"
    try:
        key = read_key(files.key, params["key_passphrase"])
    except CertificateError as error:
        return {**troubles, "key": f"its key {error}"}
    if chain and public_octets(key.public_key()) != public_octets(chain[0].public_key()):
        troubles["mismatch"] = "it was made for another key than the one beside it"
    return troubles


def inspect(params: t.Mapping[str, t.Any], now: dt.datetime) -> dict[str, t.Any]:
    """Return what the certificate, its key and its CA are, and what is wrong with them.

    :raises OSError: when a file is there but cannot be read.
    """
    files = read_files(params)
    answer: dict[str, t.Any] = {
        "library": LIBRARY,
        "exists": {name: getattr(files, name) is not None for name in ("certificate", "key", "ca")},
        "content": files.certificate,
        "ca_content": files.ca,
        "certificate": None,
        "ca": None,
        "ca_current": None,
        "troubles": {},
    }
    if not LIBRARY:
        return answer
    troubles: dict[str, str] = {}
    chain, trusted = parsed(files.certificate, "certificate", troubles), parsed(files.ca, "ca", troubles)
    given = parsed(params["ca_content"], "ca_content", troubles)
    troubles.update(check_key(files, params, chain))
    if trusted:
        answer["ca"] = describe_certificate(trusted[0], now)._asdict()
    if trusted or given:
        answer["ca_current"] = trusted == given
    if chain:
        described = describe_certificate(chain[0], now)
        answer["certificate"] = described._asdict()
        troubles.update(check_dates(described, now))
        if (trusted or given) and not leads_to(chain, [*trusted, *given]):
            troubles["foreign"] = f"its CA did not issue it ({described.issuer} did)"
    return {**answer, "troubles": troubles}
