"""The certificate that signs: the operator's, or one that AIGE makes for itself and keeps in the data folder.

AIGE's own proves that nothing was changed since, and not who made the picture: anybody can make one.
"""

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes, PublicKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from deployments.errors import SettingsError

LIFE = timedelta(days=3652)
"""Ten years."""
RENEWED_BEFORE_END = timedelta(days=30)
OWN_ISSUER = "AIGE (a certificate of its own)"

_CURVES = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}
_LEAST_RSA_BITS = 2048


@dataclass(frozen=True, slots=True)
class Credentials:
    """A key and the chain of its certificate, both in PEM, the signer's own first. `algorithm` is C2PA's name."""

    chain: bytes
    algorithm: str
    ends: datetime
    key: bytes = field(repr=False)


def read_credentials(certificate: Path, key: Path, now: datetime) -> Credentials:
    """The operator's: `AIGE_C2PA_CERT` and `AIGE_C2PA_KEY`.

    Raises:
        SettingsError: one of the two cannot be read, they do not belong together, or the certificate has run out.
    """
    chain_pem, key_pem = _content("AIGE_C2PA_CERT", certificate), _content("AIGE_C2PA_KEY", key)
    try:
        chain = x509.load_pem_x509_certificates(chain_pem)
    except ValueError:
        raise SettingsError(f"AIGE_C2PA_CERT: {certificate} holds no certificate in PEM") from None
    try:
        secret = serialization.load_pem_private_key(key_pem, None)
    except (ValueError, TypeError):
        raise SettingsError(f"AIGE_C2PA_KEY: {key} holds no private key in PEM without a password") from None
    leaf = chain[0]
    if _raw(leaf.public_key()) != _raw(secret.public_key()):
        raise SettingsError(f"AIGE_C2PA_KEY: {key} does not belong to the first certificate in {certificate}")
    if now >= leaf.not_valid_after_utc:
        raise SettingsError(f"AIGE_C2PA_CERT: {certificate} ran out on {leaf.not_valid_after_utc:%Y-%m-%d}: renew it")
    if now < leaf.not_valid_before_utc:
        raise SettingsError(f"AIGE_C2PA_CERT: {certificate} is not valid before {leaf.not_valid_before_utc:%Y-%m-%d}")
    algorithm = _algorithm(leaf.public_key())
    if algorithm is None:
        raise SettingsError(
            f"AIGE_C2PA_CERT: {certificate} has a key that C2PA does not take: use Ed25519 or ECDSA P-256"
        )
    return Credentials(chain_pem, algorithm, leaf.not_valid_after_utc, key_pem)


def own_credentials(file: Path, now: datetime) -> Credentials:
    """AIGE's own, from `file`; made where there are none, and anew 30 days before their end.

    Raises:
        SettingsError: the file cannot be used.
    """
    try:
        known = read_own_credentials(file)
        if known is None or now >= known.ends - RENEWED_BEFORE_END:
            _write(file, _made(now))
            known = read_own_credentials(file)
    except OSError as error:
        raise SettingsError(f"{file} cannot be used: {error.strerror}; set AIGE_DATA_DIR or AIGE_C2PA_CERT") from error
    assert known is not None  # noqa: S101 - it was just written
    return known


def read_own_credentials(file: Path) -> Credentials | None:
    """AIGE's own, from `file`, run out or not; None where there is no such file.

    Raises:
        SettingsError: it holds something else.
        OSError: it cannot be read.
    """
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        return None
    try:
        leaf, *_ = x509.load_pem_x509_certificates(content)
        secret = serialization.load_pem_private_key(content, None)
        algorithm = _algorithm(leaf.public_key())
    except (ValueError, TypeError):
        algorithm = None
    if algorithm is None or _raw(leaf.public_key()) != _raw(secret.public_key()):
        raise SettingsError(f"{file} holds no certificate with its key: delete it, and another one is made")
    chain = b"".join(c.public_bytes(serialization.Encoding.PEM) for c in x509.load_pem_x509_certificates(content))
    return Credentials(chain, algorithm, leaf.not_valid_after_utc, _pem(secret))


def read_trust(file: Path) -> str:
    """The certificates in PEM whose holders the operator trusts: `AIGE_C2PA_TRUST`.

    Raises:
        SettingsError: the file cannot be read, or holds none.
    """
    content = _content("AIGE_C2PA_TRUST", file)
    try:
        x509.load_pem_x509_certificates(content)
        return content.decode()
    except ValueError:
        raise SettingsError(f"AIGE_C2PA_TRUST: {file} holds no certificates in PEM") from None


def _content(variable: str, file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise SettingsError(f"{variable}: {file} cannot be read ({error.strerror})") from None


def _algorithm(key: PublicKeyTypes) -> str | None:
    """C2PA's name of the signatures that the key makes; None where it takes none of them."""
    if isinstance(key, ec.EllipticCurvePublicKey):
        return _CURVES.get(key.curve.name)
    if isinstance(key, rsa.RSAPublicKey):
        return "ps256" if key.key_size >= _LEAST_RSA_BITS else None
    return "ed25519" if isinstance(key, ed25519.Ed25519PublicKey) else None


def _made(now: datetime) -> bytes:
    """A key, its certificate, and that of an authority of its own, whose key is forgotten at once; in PEM.

    An authority is needed: C2PA takes no certificate that has signed itself. The usage is the one that C2PA's readers
    take by default. Of the keys that C2PA takes, Ed25519 signs in the least time: a third less CPU for each picture
    than with ECDSA P-256.
    """
    authority_key, key = (ed25519.Ed25519PrivateKey.generate() for _ in range(2))
    authority, holder = _name("AIGE's authority"), _name("AIGE")
    root = (
        _builder(authority, authority, authority_key.public_key(), now)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=False), critical=True)
        .sign(authority_key, None)
    )
    leaf = (
        _builder(authority, holder, key.public_key(), now)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, None)
    )
    return _pem(key) + b"".join(c.public_bytes(serialization.Encoding.PEM) for c in (leaf, root))


def _builder(
    issuer: x509.Name, subject: x509.Name, key: ed25519.Ed25519PublicKey, now: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder(issuer, subject, key, x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))  # clocks are set back now and then
        .not_valid_after(now + LIFE)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _name(common: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, OWN_ISSUER),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    """Of one who signs pictures, or of one who signs certificates."""
    return x509.KeyUsage(
        digital_signature=signs,
        key_cert_sign=not signs,
        crl_sign=not signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _write(file: Path, content: bytes) -> None:
    """Whole or not at all. Where two processes do so at once, each signs with what it has read: both are sound."""
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=file.parent)  # readable by its owner alone
    with os.fdopen(descriptor, "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(descriptor)
    Path(temporary).replace(file)


def _pem(key: CertificateIssuerPrivateKeyTypes | object) -> bytes:
    assert hasattr(key, "private_bytes")  # noqa: S101 - a private key
    pem: bytes = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return pem


def _raw(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def utc_now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


Clock = Callable[[], datetime]
