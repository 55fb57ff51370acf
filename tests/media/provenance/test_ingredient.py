"""What a picture was made of."""

from pydantic import TypeAdapter

from deployments.media.provenance.ingredient import Ingredient


def test_it_survives_the_journal() -> None:
    """With the bytes of its manifest."""
    kind = TypeAdapter(Ingredient)
    ingredient = Ingredient("photo 1", "image/png", "inputTo", b"\x00\xff", generative=True)
    assert kind.validate_json(kind.dump_json(ingredient)) == ingredient


def test_its_label_has_no_space() -> None:
    """Labels are parts of C2PA's URIs."""
    assert Ingredient("photo 1", "image/png", "inputTo").label == "photo-1"
