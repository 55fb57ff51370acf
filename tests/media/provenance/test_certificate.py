"""The certificate that signs."""

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from deployments.errors import SettingsError
from deployments.media.provenance.certificate import (
    LIFE,
    own_credentials,
    read_credentials,
    read_own_credentials,
    read_trust,
)
from deployments.media.provenance.signing import Signer
from deployments.media.provenance.sources import DigitalSource
from deployments.media.provenance.statement import Statement
from tests.media.provenance.files import picture, read

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


def leaf_of(chain: bytes) -> x509.Certificate:
    return x509.load_pem_x509_certificates(chain)[0]


@pytest.fixture
def own(tmp_path: Path) -> Path:
    return tmp_path / "var/c2pa.pem"


def test_aige_makes_its_own_for_ten_years(own: Path) -> None:
    """A leaf and an authority of its own; the file is its owner's alone."""
    made = own_credentials(own, NOW)
    leaf, root = x509.load_pem_x509_certificates(made.chain)
    leaf.verify_directly_issued_by(root)
    assert made.ends == NOW + LIFE
    assert made.ends.year == 2036
    assert made.algorithm == "ed25519"
    assert stat.S_IMODE(own.stat().st_mode) == 0o600
    assert "PRIVATE" not in repr(made)


def test_it_is_made_once(own: Path) -> None:
    """Every process that looks finds the same."""
    assert own_credentials(own, NOW) == own_credentials(own, NOW + timedelta(days=3600))


@pytest.mark.parametrize("days", [29, -1, -400])
def test_it_is_made_anew_thirty_days_before_its_end(own: Path, days: int) -> None:
    """Or later, where nobody looked."""
    old = own_credentials(own, NOW)
    later = old.ends - timedelta(days=days)
    new = own_credentials(own, later)
    assert new.ends == later + LIFE
    assert new.key != old.key
    assert own_credentials(own, old.ends - timedelta(days=31)) == new


def test_the_last_day_on_which_it_stays(own: Path) -> None:
    """Thirty days and a second before its end."""
    old = own_credentials(own, NOW)
    assert own_credentials(own, old.ends - timedelta(days=30, seconds=1)) == old


def test_one_of_a_former_version_goes_on_signing(own: Path) -> None:
    """Its keys are ECDSA P-256."""
    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    leaf, authority = x509.load_pem_x509_certificates(own_credentials(own, NOW).chain)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    own.write_bytes(
        pem + issued_again(leaf, key, authority_key) + issued_again(authority, authority_key, authority_key)
    )
    former = own_credentials(own, NOW)
    assert former.algorithm == "es256"
    assert (
        read(Signer(lambda: former).signed(picture(), Statement("background", DigitalSource.TRAINED)))[
            "validation_state"
        ]
        == "Valid"
    )


def issued_again(
    certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey, issuer: ec.EllipticCurvePrivateKey
) -> bytes:
    """The same certificate, in PEM, of another key."""
    builder = x509.CertificateBuilder(
        certificate.issuer,
        certificate.subject,
        key.public_key(),
        certificate.serial_number,
        certificate.not_valid_before_utc,
        certificate.not_valid_after_utc,
    )
    for extension in certificate.extensions:
        builder = builder.add_extension(extension.value, extension.critical)
    return builder.sign(issuer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


@pytest.mark.parametrize("content", [b"", b"nonsense", b"-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"])
def test_a_broken_file_is_said_in_a_line(own: Path, content: bytes) -> None:
    """And what to do."""
    own.parent.mkdir()
    own.write_bytes(content)
    with pytest.raises(SettingsError, match=r"c2pa\.pem holds no certificate with its key: delete it") as refused:
        read_own_credentials(own)
    assert "\n" not in str(refused.value)


def test_a_key_of_another_certificate_is_a_broken_file(own: Path, tmp_path: Path) -> None:
    """It could sign nothing that is valid."""
    own_credentials(own, NOW)
    other = own_credentials(tmp_path / "other.pem", NOW)
    own.write_bytes(other.key + leaf_of(own.read_bytes()).public_bytes(serialization.Encoding.PEM))
    with pytest.raises(SettingsError, match="delete it"):
        read_own_credentials(own)


def test_a_folder_that_cannot_be_written_is_said_in_a_line(tmp_path: Path) -> None:
    """With the setting that helps."""
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match=r"cannot be used: .*; set AIGE_DATA_DIR or AIGE_C2PA_CERT"):
        own_credentials(tmp_path / "file/c2pa.pem", NOW)


@pytest.fixture
def given(tmp_path: Path, own: Path) -> tuple[Path, Path]:
    """As an operator gives them: a chain, and its key."""
    made = own_credentials(own, NOW)
    certificate, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    certificate.write_bytes(made.chain)
    key.write_bytes(made.key)
    return certificate, key


def test_the_operator_s_are_read(given: tuple[Path, Path]) -> None:
    """With their chain."""
    found = read_credentials(*given, NOW)
    assert (found.chain, found.key) == (given[0].read_bytes(), given[1].read_bytes())
    assert (found.algorithm, found.ends) == ("ed25519", NOW + LIFE)


def test_each_fault_of_the_operator_s_is_a_line(given: tuple[Path, Path], tmp_path: Path) -> None:
    """It names the variable and the file."""
    certificate, key = given
    other = tmp_path / "other-key.pem"
    other.write_bytes(own_credentials(tmp_path / "other.pem", NOW).key)
    curve = ec.generate_private_key(ec.SECP256K1())
    strange_key, strange = tmp_path / "strange-key.pem", tmp_path / "strange.pem"
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8)
    strange_key.write_bytes(curve.private_bytes(*form, serialization.NoEncryption()))
    name = x509.Name([])
    builder = x509.CertificateBuilder(name, name, curve.public_key(), 1, NOW - LIFE, NOW + LIFE)
    strange.write_bytes(builder.sign(curve, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    locked = tmp_path / "locked.pem"
    locked.write_bytes(curve.private_bytes(*form, serialization.BestAvailableEncryption(b"password")))
    for files, now, words in (
        ((tmp_path / "missing.pem", key), NOW, "AIGE_C2PA_CERT: .*missing.pem cannot be read"),
        ((certificate, tmp_path / "missing.pem"), NOW, "AIGE_C2PA_KEY: .*missing.pem cannot be read"),
        ((key, key), NOW, "AIGE_C2PA_CERT: .*key.pem holds no certificate"),
        ((certificate, certificate), NOW, "AIGE_C2PA_KEY: .*chain.pem holds no private key"),
        ((certificate, locked), NOW, "AIGE_C2PA_KEY: .*holds no private key in PEM without a password"),
        ((certificate, other), NOW, "AIGE_C2PA_KEY: .* does not belong to the first certificate"),
        (given, NOW + LIFE, r"AIGE_C2PA_CERT: .*chain.pem ran out on 2036-\d\d-\d\d: renew it"),
        (given, NOW - LIFE, "AIGE_C2PA_CERT: .* is not valid before 2026-11-26"),
        ((strange, strange_key), NOW, "AIGE_C2PA_CERT: .* has a key that C2PA does not take"),
    ):
        with pytest.raises(SettingsError, match=words) as refused:
            read_credentials(*files, now)
        assert "\n" not in str(refused.value)


def test_a_trust_list_is_certificates_in_pem(tmp_path: Path) -> None:
    """Anything else is refused."""
    good, bad = tmp_path / "good.pem", tmp_path / "bad.pem"
    good.write_bytes(trustme.CA().cert_pem.bytes())
    bad.write_text("no certificate")
    assert "BEGIN CERTIFICATE" in read_trust(good)
    for file, words in ((bad, "holds no certificates in PEM"), (tmp_path / "missing", "cannot be read")):
        with pytest.raises(SettingsError, match=f"AIGE_C2PA_TRUST: .*{words}"):
            read_trust(file)
