"""What a manifest says, in AIGE's words."""

import pytest
from pydantic import JsonValue

from deployments.media.provenance.report import (
    UNSIGNED,
    IngredientReport,
    MadeBy,
    Report,
    report_of,
)
from deployments.media.provenance.sources import DigitalSource
from deployments.media.provenance.statement import Statement
from tests.media.provenance.files import MODEL, foreign, picture, read, signed, with_flipped_byte

OWN = "AIGE (a certificate of its own)"


def test_a_result_of_aige_s() -> None:
    """Every field, as `POST /verify` shows it."""
    statement = Statement("avatar", DigitalSource.TRAINED, (MODEL, ("local", None)))
    assert report_of(read(signed(statement))) == Report(
        signed=True,
        valid=True,
        issuer=OWN,
        trusted=False,
        digital_source_type="trainedAlgorithmicMedia",
        made_by=(MadeBy(*MODEL), MadeBy("local", None)),
        generative=True,
    )


def test_a_composition_that_no_engine_touched_has_no_maker() -> None:
    """As in the task."""
    report = report_of(read(signed(Statement("overlay", DigitalSource.COMPOSITE))))
    assert (report.made_by, report.generative, report.digital_source_type) == ((), False, "composite")


def test_a_changed_picture() -> None:
    """C2PA's code says what is wrong; that nobody trusts the signer is not a problem."""
    report = report_of(read(with_flipped_byte(signed())))
    assert (report.signed, report.valid, report.problems) == (True, False, ("assertion.dataHash.mismatch",))
    assert report.generative


def test_somebody_else_s_software() -> None:
    """Is named as who made it."""
    data = foreign(
        picture(form="JPEG"),
        "image/jpeg",
        {
            "action": "c2pa.created",
            "digitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture",
            "softwareAgent": {"name": "Camera"},
        },
        {"action": "c2pa.edited", "softwareAgent": {"name": "Editor", "version": "2"}},
    )
    report = report_of(read(data, "image/jpeg"))
    assert report.made_by == (MadeBy("Camera", None), MadeBy("Editor", None))
    assert (report.valid, report.digital_source_type, report.generative) == (True, "digitalCapture", False)


def test_a_later_action_can_make_it_generative() -> None:
    """A photo into which a model has painted."""
    data = foreign(
        picture(),
        "image/png",
        {"action": "c2pa.created", "digitalSourceType": DigitalSource.COMPOSITE.uri},
        {"action": "c2pa.edited", "digitalSourceType": DigitalSource.COMPOSITE_WITH_TRAINED.uri},
    )
    assert report_of(read(data)).generative


DOCUMENT: dict[str, JsonValue] = {
    "active_manifest": "a",
    "manifests": {
        "a": {
            "signature_info": {"issuer": "Somebody"},
            "ingredients": [
                {"title": "sound", "active_manifest": "b", "validation_results": {"activeManifest": {"failure": []}}},
                {
                    "title": "untrusted",
                    "active_manifest": "b",
                    "validation_results": {"activeManifest": {"failure": [{"code": "signingCredential.untrusted"}]}},
                },
                {
                    "title": "changed",
                    "active_manifest": "b",
                    "validation_results": {"activeManifest": {"failure": [{"code": "assertion.dataHash.mismatch"}]}},
                },
                {"title": "old", "active_manifest": "b", "validation_status": [{"code": "claim.missing"}]},
                {"title": "plain"},
                {},
            ],
        },
        "b": {
            "signature_info": {"common_name": "Nobody Ltd"},
            "assertions": [
                {
                    "label": "c2pa.actions",
                    "data": {"actions": [{"softwareAgent": "x", "digitalSourceType": "http://a/b/composite"}]},
                }
            ],
        },
    },
    "validation_state": "Trusted",
    "validation_status": [
        {"code": "signingCredential.untrusted"},
        {"code": "claim.missing"},
        {"code": "claim.missing"},
    ],
}


def test_ingredients() -> None:
    """Valid is what had a manifest that was sound."""
    report = report_of(DOCUMENT)
    assert report.ingredients == (
        IngredientReport("sound", "Nobody Ltd", valid=True, digital_source_type="composite"),
        IngredientReport("untrusted", "Nobody Ltd", valid=True, digital_source_type="composite"),
        IngredientReport("changed", "Nobody Ltd", valid=False, digital_source_type="composite"),
        IngredientReport("old", "Nobody Ltd", valid=False, digital_source_type="composite"),
        IngredientReport("plain", None, valid=False, digital_source_type=None),
        IngredientReport("", None, valid=False, digital_source_type=None),
    )
    assert (report.valid, report.trusted, report.issuer, report.problems) == (
        True,
        True,
        "Somebody",
        ("claim.missing",),
    )


@pytest.mark.parametrize("wrong", [None, 1, "text", [], [1], {"a": 1}])
def test_a_document_of_any_shape_is_read(wrong: JsonValue) -> None:
    """It was written by a stranger: each part of it may be anything."""

    def spoilt(value: JsonValue, at: list[str | int]) -> JsonValue:
        if not at:
            return wrong
        first, *rest = at
        if isinstance(value, dict):
            return {key: spoilt(item, rest) if key == first else item for key, item in value.items()}
        assert isinstance(value, list)
        return [spoilt(item, rest) if place == first else item for place, item in enumerate(value)]

    def places(value: JsonValue) -> list[list[str | int]]:
        items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        return [[], *([key, *rest] for key, item in items for rest in places(item))]

    for place in places(DOCUMENT)[1:]:
        changed = spoilt(DOCUMENT, place)
        assert isinstance(changed, dict)
        assert report_of(changed).signed


def test_unsigned_is_false_null_and_empty() -> None:
    """The contract's words."""
    assert Report(False, False, None, False, None, (), (), (), False) == UNSIGNED
