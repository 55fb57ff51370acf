"""Every result says where it comes from, and nothing of its request."""

import pytest
from pydantic import JsonValue

from deployments.media.provenance.sources import DigitalSource
from tests.e2e import pictures
from tests.e2e.credentials import assert_tells_nothing, ingredients, said_by
from tests.e2e.service import PHOTO, Service, assert_is_problem
from tests.media.provenance.files import (
    foreign,
    signed,
    with_broken_manifest,
    with_changed_text,
    with_flipped_byte,
)

TRAINED: dict[str, JsonValue] = {
    "action": "c2pa.created",
    "digitalSourceType": DigitalSource.TRAINED.uri,
    "softwareAgent": {"name": "Model"},
}
PLACE = {"x": 10, "y": 20, "scale": 1}
CUT_OUT = pictures.png(pictures.cut_out())


def overlay(service: Service, name: str, person: bytes, background: bytes) -> bytes:
    params = {
        "person": service.sink.serve(f"/{name}-person", person),
        "background": service.sink.serve(f"/{name}-behind", background),
        "position": PLACE,
    }
    task_id = service.overlay(f"/{name}.png", params, prompt="unspeakable words")
    assert service.ended(task_id).status == "done"
    data = service.sink.objects[f"/{name}.png"].body
    assert_tells_nothing(data, task_id, "unspeakable", service.sink.host)
    return data


def test_an_avatar_of_the_local_engine(service: Service) -> None:
    """A photo, changed; the photo is what it was made of."""
    photo = service.sink.serve("/said-photo.jpg", PHOTO.read_bytes(), "image/jpeg")
    task_id = service.avatar("/said-avatar.png", "a cartoon, unspeakable words", photo)
    assert service.ended(task_id).status == "done"
    data = service.sink.objects["/said-avatar.png"].body
    said = said_by(service, data)
    assert said["digital_source_type"] == "algorithmicallyEnhanced"
    assert said["made_by"] == [{"engine": "by-prompt", "model": None}]
    assert said["issuer"] == "AIGE (a certificate of its own)"
    assert ingredients(said) == [("photo 1", False, None)]
    assert_tells_nothing(data, task_id, "unspeakable", service.sink.host)


def test_a_background_of_the_local_engine(service: Service) -> None:
    """An algorithm's work; made of nothing."""
    task_id = service.background("/said-background.png", "a lake, unspeakable words")
    assert service.ended(task_id).status == "done"
    data = service.sink.objects["/said-background.png"].body
    said = said_by(service, data)
    assert (said["digital_source_type"], ingredients(said)) == ("algorithmicMedia", [])
    assert_tells_nothing(data, task_id, "unspeakable", service.sink.host)


def test_a_composition_that_no_engine_touched(service: Service) -> None:
    """AIGE alone made it."""
    said = said_by(service, overlay(service, "said-plain", CUT_OUT, pictures.png(pictures.scene())))
    assert (said["digital_source_type"], said["made_by"]) == ("composite", [])
    assert ingredients(said) == [("background", False, None), ("person", False, None)]


def test_a_composition_with_a_generative_model_s_picture(service: Service) -> None:
    """Its own manifest says so, valid or not; it is kept."""
    whole, changed = signed(data=CUT_OUT), with_changed_text(signed(data=pictures.png(pictures.scene())))
    said = said_by(service, overlay(service, "said-model", whole, pictures.png(pictures.scene())))
    assert said["digital_source_type"] == "compositeWithTrainedAlgorithmicMedia"
    assert ingredients(said) == [("background", False, None), ("person", True, "trainedAlgorithmicMedia")]
    said = said_by(service, overlay(service, "said-changed", CUT_OUT, changed))
    assert said["digital_source_type"] == "compositeWithTrainedAlgorithmicMedia"
    assert ingredients(said) == [("background", False, "trainedAlgorithmicMedia"), ("person", False, None)]


def test_a_broken_manifest_spoils_nothing(service: Service) -> None:
    """It is on record as such."""
    broken = with_broken_manifest(signed(data=CUT_OUT))
    data = overlay(service, "said-broken", broken, pictures.png(pictures.scene()))
    said = said_by(service, data)
    assert (said["digital_source_type"], ingredients(said)[1]) == ("composite", ("person", False, None))


@pytest.mark.parametrize("operation", ["avatar", "background"])
def test_a_provider_s_own_manifest_is_kept(service: Service, operation: str) -> None:
    """It came with the picture, which is fetched once."""
    own = foreign(CUT_OUT if operation == "avatar" else pictures.png(pictures.scene()), "image/png", TRAINED)
    url = service.sink.serve(f"/provider-{operation}.png", own)
    submit = service.avatar if operation == "avatar" else service.background
    assert service.ended(submit(f"/said-provider-{operation}.png", f"elsewhere {url}")).status == "done"
    data = service.sink.objects[f"/said-provider-{operation}.png"].body
    title = "portrait" if operation == "avatar" else "background"
    assert (title, True, "trainedAlgorithmicMedia") in ingredients(said_by(service, data))
    assert len(service.sink.requests[f"/provider-{operation}.png"]) == 1


def test_a_flipped_byte_is_found(service: Service) -> None:
    """By whoever verifies it."""
    assert service.ended(service.background("/said-flipped.png", "instant")).status == "done"
    data = with_flipped_byte(service.sink.objects["/said-flipped.png"].body)
    said = service.http.post("/verify", content=data).json()
    assert (said["signed"], said["valid"], said["problems"]) == (True, False, ["assertion.dataHash.mismatch"])
    plain = service.http.post("/verify", content=PHOTO.read_bytes()).json()
    assert plain["signed"] is False
    assert_is_problem(service.http.post("/verify", content=b"no picture"), 400)
