"""From settings to what signs pictures; and the check of all that has to do with it, before the service starts."""

from pathlib import Path

from deployments.errors import SettingsError
from deployments.media.provenance.certificate import (
    Clock,
    Credentials,
    own_credentials,
    read_credentials,
    read_own_credentials,
    read_trust,
    utc_now,
)
from deployments.media.provenance.signing import NotSigned, Signer
from deployments.media.provenance.sources import DigitalSource
from deployments.media.provenance.statement import Statement
from deployments.settings import Environment, Settings

OWN_FILE = "c2pa.pem"
"""In the data folder: AIGE's own key and certificate."""

_SMALL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b55"
    "0000000a49444154789c6360000000020001e221bc330000000049454e44ae426082"
)
"""A PNG of one pixel, to try a signature on."""


def open_signer(settings: Settings, environment: Environment, clock: Clock = utc_now) -> Signer | None:
    """What signs results, with the operator's certificate or AIGE's own; None where provenance is off.

    Raises:
        SettingsError: a certificate or a key is missing or wrong, or has run out.
    """
    if not settings.provenance:
        return None
    given = _given(environment)

    def credentials() -> Credentials:
        if given is not None:
            return read_credentials(*given, clock())
        return own_credentials(_own_file(environment), clock())

    try:
        return Signer(credentials, clock)
    except NotSigned as error:
        raise _useless(given, environment, error) from None


def check_provenance(settings: Settings, environment: Environment, clock: Clock = utc_now) -> None:
    """Refuses what could not sign or verify later. AIGE's own certificate is made by who needs it, not here.

    Raises:
        SettingsError: one line that names the variable or the file.
    """
    if environment.aige_c2pa_trust is not None:
        read_trust(environment.aige_c2pa_trust)
    given = _given(environment)
    if not settings.provenance:
        return
    if given is None:
        _check_own(_own_file(environment))
        return
    signer = open_signer(settings, environment, clock)
    assert signer is not None  # noqa: S101 - provenance is on
    try:
        signer.signed(_SMALL, Statement("trial", DigitalSource.COMPOSITE))
    except NotSigned as error:
        raise _useless(given, environment, error) from None


def _given(environment: Environment) -> tuple[Path, Path] | None:
    certificate, key = environment.aige_c2pa_cert, environment.aige_c2pa_key
    if (certificate is None) != (key is None):
        raise SettingsError("AIGE_C2PA_CERT and AIGE_C2PA_KEY belong together: set both, or neither")
    return (certificate, key) if certificate is not None and key is not None else None


def _own_file(environment: Environment) -> Path:
    return environment.aige_data_dir / OWN_FILE


def _check_own(file: Path) -> None:
    try:
        read_own_credentials(file)
    except NotADirectoryError:
        return  # the data folder is none: whoever opens it says so
    except OSError as error:
        raise SettingsError(f"{file} cannot be read: {error.strerror}") from None


def _useless(given: tuple[Path, Path] | None, environment: Environment, error: NotSigned) -> SettingsError:
    where = f"AIGE_C2PA_CERT: {given[0]}" if given else str(_own_file(environment))
    return SettingsError(f"{where} cannot sign pictures: {str(error).partition(chr(10))[0]}")
