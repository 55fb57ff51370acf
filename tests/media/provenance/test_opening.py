"""From settings to what signs, and the check before the start."""

from datetime import timedelta
from pathlib import Path

import pytest
import trustme

from deployments.errors import SettingsError
from deployments.media.provenance.certificate import own_credentials, utc_now
from deployments.media.provenance.opening import OWN_FILE, check_provenance, open_signer
from deployments.media.provenance.sources import DigitalSource
from deployments.media.provenance.statement import Statement
from deployments.settings import Environment, Settings
from tests.media.provenance.files import manifest_in, picture, read

STATEMENT = Statement("avatar", DigitalSource.TRAINED)


def environment(tmp_path: Path, **variables: Path) -> Environment:
    return Environment.model_validate({"aige_data_dir": tmp_path, **variables})


@pytest.fixture
def given(tmp_path: Path) -> dict[str, Path]:
    """An operator's certificate and key, as c2pa-python takes them."""
    own = own_credentials(tmp_path / "theirs.pem", utc_now())
    files = {"aige_c2pa_cert": tmp_path / "cert.pem", "aige_c2pa_key": tmp_path / "key.pem"}
    files["aige_c2pa_cert"].write_bytes(own.chain)
    files["aige_c2pa_key"].write_bytes(own.key)
    return files


def test_aige_s_own_lies_in_the_data_folder(tmp_path: Path) -> None:
    """Made by who signs, not by the check."""
    check_provenance(Settings(), environment(tmp_path))
    assert not (tmp_path / OWN_FILE).exists()
    signer = open_signer(Settings(), environment(tmp_path))
    assert signer
    assert (tmp_path / OWN_FILE).is_file()
    assert read(signer.signed(picture(), STATEMENT))["validation_state"] == "Valid"


def test_an_operator_s_is_used_instead(tmp_path: Path, given: dict[str, Path]) -> None:
    """And none of AIGE's own is made."""
    check_provenance(Settings(), environment(tmp_path, **given))
    signer = open_signer(Settings(), environment(tmp_path, **given))
    assert signer
    assert manifest_in(signer.signed(picture(), STATEMENT))["signature_info"]
    assert not (tmp_path / OWN_FILE).exists()


def test_off_needs_no_certificate(tmp_path: Path) -> None:
    """Nor is one looked at, but for a pair that is not whole."""
    off = Settings.model_validate({"provenance": "off"})
    (tmp_path / OWN_FILE).write_text("nonsense")
    check_provenance(off, environment(tmp_path))
    assert open_signer(off, environment(tmp_path)) is None


@pytest.mark.parametrize("lone", ["aige_c2pa_cert", "aige_c2pa_key"])
def test_a_certificate_and_its_key_belong_together(tmp_path: Path, given: dict[str, Path], lone: str) -> None:
    """One of them alone is a mistake."""
    with pytest.raises(SettingsError, match="AIGE_C2PA_CERT and AIGE_C2PA_KEY belong together"):
        check_provenance(Settings(), environment(tmp_path, **{lone: given[lone]}))


def test_a_certificate_that_has_run_out_stops_the_start(tmp_path: Path, given: dict[str, Path]) -> None:
    """With one line."""
    with pytest.raises(SettingsError, match="ran out on") as refused:
        check_provenance(Settings(), environment(tmp_path, **given), lambda: utc_now() + timedelta(days=4000))
    assert "\n" not in str(refused.value)


def test_a_certificate_that_c2pa_does_not_take_stops_the_start(tmp_path: Path) -> None:
    """It is tried out: that of a web server cannot sign pictures."""
    server = trustme.CA(key_type=trustme.KeyType.ECDSA).issue_cert("aige.example", key_type=trustme.KeyType.ECDSA)
    files = {"aige_c2pa_cert": tmp_path / "cert.pem", "aige_c2pa_key": tmp_path / "key.pem"}
    files["aige_c2pa_cert"].write_bytes(b"".join(blob.bytes() for blob in server.cert_chain_pems))
    files["aige_c2pa_key"].write_bytes(server.private_key_pem.bytes())
    with pytest.raises(SettingsError, match=r"AIGE_C2PA_CERT: .*cert\.pem cannot sign pictures: ") as refused:
        check_provenance(Settings(), environment(tmp_path, **files))
    assert "\n" not in str(refused.value)


def test_a_broken_file_of_aige_s_own_stops_the_start(tmp_path: Path) -> None:
    """It may be somebody's only key: AIGE does not write over it."""
    (tmp_path / OWN_FILE).write_text("nonsense")
    with pytest.raises(SettingsError, match="holds no certificate with its key: delete it"):
        check_provenance(Settings(), environment(tmp_path))


def test_one_of_aige_s_own_that_has_run_out_is_renewed(tmp_path: Path) -> None:
    """So it stops nothing."""
    old = own_credentials(tmp_path / OWN_FILE, utc_now() - timedelta(days=5000))
    check_provenance(Settings(), environment(tmp_path))
    assert open_signer(Settings(), environment(tmp_path))
    assert own_credentials(tmp_path / OWN_FILE, utc_now()) != old


def test_a_wrong_trust_list_stops_the_start(tmp_path: Path) -> None:
    """Also where nothing is signed."""
    (tmp_path / "trust.pem").write_text("nobody")
    for switch in ("on", "off"):
        with pytest.raises(SettingsError, match="AIGE_C2PA_TRUST"):
            check_provenance(
                Settings.model_validate({"provenance": switch}),
                environment(tmp_path, aige_c2pa_trust=tmp_path / "trust.pem"),
            )
