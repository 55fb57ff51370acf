"""What a result's manifest says."""

from deployments.media.provenance.ingredient import Ingredient
from deployments.media.provenance.sources import DigitalSource
from deployments.media.provenance.statement import Statement, c2pa_settings, manifest_of
from deployments.settings import VERSION

AIGE = {"name": "AIGE", "version": VERSION}
PHOTO = Ingredient("photo 1", "image/jpeg", "inputTo")
PERSON = Ingredient("person", "image/png", "componentOf")
PACKED = Ingredient("background", "image/png", "componentOf", b"its manifest")


def test_it_names_aige_its_version_the_engine_and_the_model() -> None:
    """And the kind of picture."""
    manifest = manifest_of(Statement("avatar", DigitalSource.TRAINED, (("fal", "m"), ("local", None))))
    assert manifest["claim_generator_info"] == [AIGE]
    assert manifest["assertions"] == [
        {
            "label": "c2pa.actions.v2",
            "data": {
                "actions": [
                    {
                        "action": "c2pa.created",
                        "digitalSourceType": DigitalSource.TRAINED.uri,
                        "softwareAgent": AIGE,
                        "description": f"Made by AIGE {VERSION} with fal (m), local.",
                        "parameters": {
                            "aige.made_by": [{"engine": "fal", "model": "m"}, {"engine": "local", "model": None}]
                        },
                    }
                ]
            },
        }
    ]


def test_a_composition_that_no_engine_touched_names_aige_alone() -> None:
    """It has no maker."""
    manifest = str(manifest_of(Statement("overlay", DigitalSource.COMPOSITE)))
    assert f"Made by AIGE {VERSION}." in manifest
    assert "'aige.made_by': []" in manifest


def test_what_went_in_and_what_was_placed() -> None:
    """By their labels; an ingredient that brings its own manifest is added as it is."""
    manifest = manifest_of(Statement("overlay", DigitalSource.COMPOSITE, (), (PHOTO, PERSON, PACKED)))
    assert manifest["ingredients"] == [
        {"title": "photo 1", "format": "image/jpeg", "relationship": "inputTo", "label": "photo-1"},
        {"title": "person", "format": "image/png", "relationship": "componentOf", "label": "person"},
    ]
    text = str(manifest["assertions"])
    assert "'ingredientIds': ['photo-1']" in text
    assert text.count("c2pa.placed") == 2
    assert "'ingredientIds': ['person']" in text
    assert "'ingredientIds': ['background']" in text


def test_a_manifest_that_cannot_be_kept_is_on_record() -> None:
    """As a fault of the ingredient."""
    (plain,) = Statement("overlay", DigitalSource.COMPOSITE, (), (PACKED,)).without_archives().ingredients
    assert plain == Ingredient("background", "image/png", "componentOf", fault="general.error")
    assert "general.error" in str(manifest_of(Statement("overlay", DigitalSource.COMPOSITE, (), (plain,))))


def test_nobody_is_asked_and_no_thumbnail_is_made() -> None:
    """Each of c2pa-python's settings that says so."""
    settings = c2pa_settings()
    assert settings["verify"] == {
        "remote_manifest_fetch": False,
        "ocsp_fetch": False,
        "verify_after_sign": False,
    }
    assert settings["core"] == {"allowed_network_hosts": [], "decode_identity_assertions": False}
    assert settings["builder"] == {"thumbnail": {"enabled": False}}
    assert "trust" not in settings
    assert c2pa_settings("PEM")["trust"] == {"trust_anchors": "PEM"}
