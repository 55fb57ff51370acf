"""What a task's result says of its origin."""

from dataclasses import replace

import pytest

from deployments.media.picture import Picture
from deployments.media.provenance.ingredient import Ingredient
from deployments.media.provenance.sources import DigitalSource
from deployments.media.provenance.statement import Statement, manifest_of
from deployments.media.sizes import AspectRatio, CanvasSize
from deployments.tasks.origin import statement_of
from deployments.tasks.record import Maker
from deployments.tasks.work import AvatarJob, BackgroundJob, OverlayJob, Work

SECRET = "5ecre7"
URL = f"https://{SECRET}.example/{SECRET}?{SECRET}"
PHOTO = Picture(url=URL)
AVATAR = Work(SECRET, AvatarJob(SECRET, (PHOTO,), AspectRatio.SQUARE, URL, read_url=URL))
BACKGROUND = Work(SECRET, BackgroundJob(SECRET, AspectRatio.SQUARE, URL, read_url=URL))
OVERLAY = Work(SECRET, OverlayJob(SECRET, PHOTO, PHOTO, CanvasSize.SQUARE, 1, 2, 3, URL, read_url=URL))

ENHANCED, PAINTED = DigitalSource.ALGORITHMICALLY_ENHANCED, DigitalSource.ALGORITHMIC_MEDIA
COMPOSITE, TRAINED = DigitalSource.COMPOSITE, DigitalSource.TRAINED
WITH_TRAINED = DigitalSource.COMPOSITE_WITH_TRAINED

PERSON = Ingredient("person", "image/png", "componentOf")
DRAWN_PERSON = replace(PERSON, generative=True)
DRAWN_PHOTO = Ingredient("photo 1", "image/png", "inputTo", generative=True)


@pytest.mark.parametrize(
    ("work", "sources", "ingredients", "source"),
    [
        (AVATAR, (TRAINED,), (), TRAINED),
        (AVATAR, (ENHANCED,), (), ENHANCED),
        (AVATAR, (ENHANCED, TRAINED), (), TRAINED),  # a model has painted the person again
        (AVATAR, (ENHANCED,), (DRAWN_PHOTO,), ENHANCED),
        (AVATAR, (), (), TRAINED),  # a former version began it
        (BACKGROUND, (TRAINED,), (), TRAINED),
        (BACKGROUND, (PAINTED,), (), PAINTED),
        (OVERLAY, (), (PERSON,), COMPOSITE),
        (OVERLAY, (), (PERSON, DRAWN_PERSON), WITH_TRAINED),
        (OVERLAY, (TRAINED,), (PERSON,), WITH_TRAINED),  # the blend
        (OVERLAY, (ENHANCED,), (PERSON,), COMPOSITE),
    ],
)
def test_the_source(
    work: Work, sources: tuple[DigitalSource, ...], ingredients: tuple[Ingredient, ...], source: DigitalSource
) -> None:
    """By operation, engines and ingredients."""
    assert statement_of(replace(work, sources=sources, ingredients=ingredients)).source is source


@pytest.mark.parametrize("work", [AVATAR, BACKGROUND, OVERLAY])
def test_nothing_of_the_request_is_in_it(work: Work) -> None:
    """No prompt, URL or id."""
    made = work.made(Maker("step", "fal", "a-model"), TRAINED).made_of(PERSON)
    assert SECRET not in str(manifest_of(statement_of(made)))


def test_it_names_what_made_it_and_what_it_was_made_of() -> None:
    """In the order of the work."""
    made = AVATAR.made(Maker("one", "fal", "m"), TRAINED).made(Maker("two", "local", None)).made_of(PERSON)
    assert statement_of(made) == Statement("avatar", TRAINED, (("fal", "m"), ("local", None)), (PERSON,))
