"""Signed results, as c2pa-python reads them."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import pytest

from deployments.media.images import decode
from deployments.media.provenance.certificate import Credentials, own_credentials
from deployments.media.provenance.ingredient import Ingredient
from deployments.media.provenance.manifests import Manifests
from deployments.media.provenance.signing import QUICKLY_SIGNED_BYTES, NotSigned, Signer, is_quickly_signed
from deployments.media.provenance.sources import DigitalSource
from deployments.media.provenance.statement import Statement
from tests.media.provenance.files import (
    LIMITS,
    MODEL,
    credentials,
    manifest_in,
    picture,
    read,
    signed,
    with_flipped_byte,
)


def test_a_result_is_valid_and_its_pixels_are_the_same() -> None:
    """Its signer is not on any list: that is its one remark."""
    data = signed()
    document = read(data)
    assert document["validation_state"] == "Valid"
    assert [status["code"] for status in document["validation_status"]] == ["signingCredential.untrusted"]  # type: ignore[union-attr,index,call-overload]
    assert decode(data, LIMITS).tobytes() == decode(picture(), LIMITS).tobytes()


def test_a_changed_byte_is_found() -> None:
    """By its hash."""
    document = read(with_flipped_byte(signed()))
    assert document["validation_state"] == "Invalid"
    assert "assertion.dataHash.mismatch" in str(document["validation_status"])


def test_there_are_no_thumbnails() -> None:
    """That of a photo which was cut out would show all of it."""
    data = signed(data=picture((1200, 900)))
    assert "thumbnail" not in str(read(data))
    assert b"thumbnail" not in data


@pytest.mark.parametrize("source", DigitalSource)
def test_the_source_is_that_of_the_statement(source: DigitalSource) -> None:
    """In the manifest and in the XMP packet."""
    data = signed(Statement("overlay", source, (MODEL,)))
    assert source.uri in str(manifest_in(data)["assertions"])
    assert source.uri.encode() + b"</Iptc4xmpExt" in data


async def test_an_ingredient_s_manifest_is_kept_whole() -> None:
    """It can be read in the result, and those of its own ingredients too."""
    manifests = Manifests()
    person = await manifests.ingredient(signed(), "person", "componentOf")
    overlay = signed(Statement("overlay", DigitalSource.COMPOSITE_WITH_TRAINED, (), (person,)))
    again = await manifests.ingredient(overlay, "person", "componentOf")
    data = signed(Statement("overlay", DigitalSource.COMPOSITE_WITH_TRAINED, (), (again,)))
    manifests.close()
    document = read(data)
    assert document["validation_state"] == "Valid"
    assert len(document["manifests"]) == 3  # type: ignore[arg-type]


async def test_a_broken_ingredient_spoils_nothing() -> None:
    """Its faults are on record."""
    manifests = Manifests()
    person = await manifests.ingredient(with_flipped_byte(signed()), "person", "componentOf")
    manifests.close()
    data = signed(Statement("overlay", DigitalSource.COMPOSITE_WITH_TRAINED, (), (person,)))
    assert read(data)["validation_state"] == "Valid"
    assert "assertion.dataHash.mismatch" in str(manifest_in(data)["ingredients"])


def test_an_archive_that_cannot_be_added_is_left_out_in_the_end() -> None:
    """The picture is signed all the same, and says that a manifest is missing."""
    bad = Ingredient("person", "image/png", "componentOf", b"no archive")
    data = signed(Statement("overlay", DigitalSource.COMPOSITE, (), (bad,)))
    assert read(data)["validation_state"] == "Valid"
    assert "general.error" in str(manifest_in(data)["ingredients"])


class Failing:
    """Credentials that cannot be had so many times, once the signer is there."""

    def __init__(self, times: int) -> None:
        self.times = times
        self.asked = 0

    def __call__(self) -> Credentials:
        self.asked += 1
        if 1 < self.asked <= 1 + self.times:
            raise OSError("the disk is away")
        return replace(credentials(), ends=datetime.now(UTC))  # so near their end that they are asked for each time


@pytest.mark.parametrize("times", [1, 2])
def test_signing_that_fails_is_retried(times: int) -> None:
    """Three tries in all."""
    failing = Failing(times)
    data = Signer(failing).signed(picture(), Statement("avatar", DigitalSource.TRAINED))
    assert read(data)["validation_state"] == "Valid"
    assert failing.asked == 2 + times


def test_signing_that_fails_for_good_gives_no_picture() -> None:
    """Never an unsigned one."""
    signer = Signer(Failing(3))
    with pytest.raises(NotSigned):
        signer.signed(picture(), Statement("avatar", DigitalSource.TRAINED))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda good: replace(good, key=b"no key"),
        lambda good: replace(good, chain=b"no chain"),
        lambda good: replace(good, algorithm="es1024"),
    ],
)
def test_credentials_of_no_use_are_refused_at_once(spoil: Callable[[Credentials], Credentials]) -> None:
    """Before the first picture, or with it."""
    with pytest.raises(NotSigned):
        Signer(lambda: spoil(credentials())).signed(picture(), Statement("avatar", DigitalSource.TRAINED))


def test_a_renewed_certificate_signs_from_then_on_and_old_pictures_stay_valid(tmp_path: Path) -> None:
    """The signer goes by the clock: it needs no restart."""
    file = tmp_path / "c2pa.pem"
    today = datetime.now(UTC)
    clock = [today - timedelta(days=3630)]
    signer = Signer(lambda: own_credentials(file, clock[0]), clock=lambda: clock[0])
    statement = Statement("avatar", DigitalSource.TRAINED)
    old_certificate, old = file.read_bytes(), signer.signed(picture(), statement)
    clock[0] = today
    new = signer.signed(picture(), statement)
    assert file.read_bytes() != old_certificate
    serials = [str(manifest_in(data)["signature_info"]) for data in (old, new)]
    assert serials[0] != serials[1]
    assert [read(data)["validation_state"] for data in (old, new)] == ["Valid", "Valid"]


def test_it_signs_in_many_threads_at_once() -> None:
    """As the Uploader does."""
    made: list[bytes] = []
    threads = [Thread(target=lambda: made.append(signed())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [read(data)["validation_state"] for data in made] == ["Valid"] * 8


def test_what_is_signed_on_an_event_loop() -> None:
    """What is small, the manifests of its ingredients included: those may take seconds."""
    half = bytes(QUICKLY_SIGNED_BYTES // 2)
    photo, person = Ingredient("photo 1", "image/png", "inputTo"), Ingredient("person", "image/png", "inputTo", half)
    assert is_quickly_signed(half, [photo, person])
    assert not is_quickly_signed(half, [photo, person, person])
    assert not is_quickly_signed(bytes(QUICKLY_SIGNED_BYTES + 1), [])
