"""A job and what its steps have made of it."""

import pytest

from deployments.media.picture import Picture
from deployments.media.provenance.ingredient import Ingredient
from deployments.media.provenance.sources import DigitalSource
from deployments.media.sizes import AspectRatio
from deployments.tasks.record import Maker
from deployments.tasks.work import AvatarJob, BackgroundJob, OverlayJob, Work

PHOTOS = (Picture(data=bytes(10)), Picture(url="https://p.example/1"))
WORK = Work("t", AvatarJob("a pilot", PHOTOS, AspectRatio.WIDE, "https://w"))


def test_its_size_is_that_of_the_pictures_that_travel_with_it() -> None:
    """Inline photos and the newest picture; a URL weighs nothing."""
    assert WORK.size == 10
    assert WORK.carrying(Picture(data=bytes(5)), opaque=True).size == 15
    assert WORK.carrying(Picture(url="https://p.example/2"), opaque=True).size == 10
    assert WORK.without_photos().carrying(Picture(data=bytes(5)), opaque=True).size == 5


def test_without_its_pictures_it_still_tells_which_step_is_next() -> None:
    """Nothing else is dropped."""
    work = WORK.carrying(Picture(data=bytes(5)), opaque=False).past("generate_avatar").noting(("A note.",))
    bare = work.without_pictures()
    assert bare.size == 0
    assert (bare.done, bare.opaque, bare.notes) == (work.done, False, ("A note.",))
    assert work.delivered().picture is None
    assert work.delivered().job == WORK.job


def test_ingredients_travel_with_it_until_it_is_delivered() -> None:
    """Their manifests count as what the pictures weigh; the kinds of its pictures weigh nothing."""
    one, two = Ingredient("a", "image/png", "inputTo", bytes(7)), Ingredient("b", "image/png", "inputTo")
    work = WORK.made_of(one).made_of(two).made(Maker("s", "fal", None), DigitalSource.TRAINED)
    assert work.ingredients == (one, two)
    assert work.size == 17
    assert work.sources == (DigitalSource.TRAINED,)
    assert work.made(Maker("t", "local", None)).sources == (DigitalSource.TRAINED,)
    assert work.without_pictures().ingredients == work.delivered().ingredients == ()


def test_a_stage_is_told_where_it_gets_what_is_not_its() -> None:
    """The table of operations is wrong then."""
    assert WORK.job_of(AvatarJob) is WORK.job
    with pytest.raises(TypeError, match="this stage works on OverlayJob, not on AvatarJob"):
        WORK.job_of(OverlayJob)
    with pytest.raises(ValueError, match="no earlier stage made a picture"):
        WORK.needed_picture()


def test_only_an_avatar_has_photos() -> None:
    """Every other job stays as it is."""
    work = Work("t", BackgroundJob("a sea", AspectRatio.WIDE, "https://w"))
    assert work.without_photos() is work
    assert work.size == 0
