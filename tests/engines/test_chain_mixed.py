"""fal's portraits with local cut-outs, as the README sets them up: half the paid calls of an avatar."""

import re
from pathlib import Path

import pytest
import yaml

from deployments.engines.base import Engine, Verb
from deployments.engines.chain import Chain
from deployments.engines.loading import chosen_engines
from deployments.media.egress import Egress
from deployments.media.images import PictureLimits, decode
from deployments.media.picture import Picture
from deployments.media.results import cut_out_result
from deployments.media.sizes import AspectRatio
from deployments.settings import Environment, Settings
from tests.engines.paid_calls import MemoryCalls
from tests.fal_emulator.emulator import KEY, FalEmulator
from tests.fal_emulator.http import Answer

ROOT = Path(__file__).parents[2]
LIMITS = PictureLimits()
PHOTO = Picture(url="https://photos.example/me.jpg")


def from_readme() -> dict[str, object]:
    """The lines that the README shows."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.search(r"```yaml\n(engine: fal\n.*?)```", readme, re.DOTALL)
    assert found is not None
    assert found[1].count("\n") <= 5
    lines: dict[str, object] = yaml.safe_load(found[1])
    return lines


async def portrait(_: object) -> Answer:
    return Answer(200, {"images": [{"url": "https://v3.fal.media/files/person.jpg"}]})


def never_made(name: str) -> Engine:
    raise AssertionError(name)


async def avatar(settings: dict[str, object], fal: FalEmulator, egress: Egress) -> list[str]:
    """Makes one, with a real person in fal's portrait; tells who made what."""
    fal.files["person.jpg"] = (ROOT / "tests/data/astronaut.jpg").read_bytes()
    fal.script("result", portrait)
    choice = chosen_engines(Settings.model_validate(settings), Environment())

    def chain(verb: Verb) -> Chain:
        return Chain({name: choice.made(name, egress, LIMITS) for name in choice.verbs[verb]}, never_made)

    drawn = await chain(Verb.PORTRAIT).made(
        MemoryCalls(), lambda engine, call: engine.portrait("a pilot", [PHOTO], AspectRatio.SQUARE, call)
    )
    cut = await chain(Verb.CUT_OUT).made(MemoryCalls(), lambda engine, call: engine.cut_out(drawn.made.picture, call))
    data = cut_out_result(await cut.made.picture.read(egress, LIMITS.bytes), AspectRatio.SQUARE, LIMITS)
    assert decode(data, LIMITS).mode == "RGBA"
    return [drawn.engine, cut.engine]


async def test_half_the_paid_calls(fal: FalEmulator, egress: Egress, monkeypatch: pytest.MonkeyPatch) -> None:
    """One instead of two for an avatar; backgrounds are fal's as before, and overlays cost nothing."""
    monkeypatch.setenv("FAL_KEY", KEY)
    monkeypatch.delenv("AIGE_ENGINE", raising=False)
    assert (await avatar({"engine": "fal"}, fal, egress), fal.posts) == (["fal", "fal"], 2)
    assert (await avatar(from_readme(), fal, egress), fal.posts) == (["fal", "local"], 2 + 1)
    mixed = chosen_engines(Settings.model_validate(from_readme()), Environment())
    assert (mixed.verbs[Verb.BACKGROUND], mixed.verbs[Verb.BLEND]) == (("fal",), ())


def test_every_choice_of_engines_in_the_readme_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    """As it stands there."""
    monkeypatch.setenv("FAL_KEY", KEY)
    monkeypatch.delenv("AIGE_ENGINE", raising=False)
    shown = re.findall(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    choices = [settings for settings in map(yaml.safe_load, shown) if "engines" in settings]
    assert len(choices) == 2
    for settings in choices:
        chosen_engines(Settings.model_validate(settings), Environment())
