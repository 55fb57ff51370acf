"""Which engine is asked for what: the settings by verb, all of it checked at the start, with one clear line."""

import os
from pathlib import Path
from typing import ClassVar

import pytest

from deployments.engines.base import EngineContext, Verb
from deployments.engines.fal.engine import FalEngine
from deployments.engines.loading import Choice, chosen_engines, engine_class, options_of
from deployments.engines.local.engine import LocalEngine
from deployments.errors import SettingsError
from deployments.media.egress import Egress
from deployments.media.images import PictureLimits
from deployments.settings import Environment, Settings

MINE = "tests.engines.test_loading:Mine"
ALL = ("FAL_KEY", "FAL_KEY_ID", "FAL_KEY_SECRET", "OPENAI_API_KEY", "AIGE_ENGINE")
OWN_SERVER = {"base_url": "http://gpu:8000/v1", "charges": False, "models": {"portrait": "qwen"}}


class Mine(LocalEngine):
    """Anyone's own engine, which blends."""

    name: ClassVar = "mine"
    blends: ClassVar = True

    @classmethod
    def check(cls, options: dict[str, object], _environment: Environment) -> None:
        if options:
            raise SettingsError(f"engine_options.{next(iter(options))}: there is no such setting")


class Keyless(LocalEngine):
    """One that asks for a key of its own, but not at the start."""

    name: ClassVar = "keyless"

    def __init__(self, context: EngineContext) -> None:
        super().__init__(context)
        self.key = os.environ["KEY_OF_ONES_OWN"]


class Careless(LocalEngine):
    """One whose check breaks down."""

    @classmethod
    def check(cls, options: dict[str, object], _environment: Environment) -> None:
        raise KeyError(options)


class Undecided(LocalEngine):
    """One that blends where its options say so."""

    def __init__(self, context: EngineContext) -> None:
        super().__init__(context)
        self._blends = bool(context.options.get("blend"))

    @property
    def blends(self) -> bool:  # type: ignore[override]
        return self._blends


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of all providers; tests take some away."""
    for name in ALL:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("FAL_KEY", "a-key")
    monkeypatch.setenv("OPENAI_API_KEY", "a-key")


def choice(**settings: object) -> Choice:
    return chosen_engines(Settings.model_validate(settings), Environment())


def shown(chosen: Choice) -> "Shown":
    return {verb.value: chosen.shown(verb) for verb in Verb}


Shown = dict[str, tuple[str, ...]]
ONE_FAL: Shown = {
    "portrait": ("fal",),
    "background": ("fal",),
    "cut_out": ("fal",),
    "blend": ("fal",),
}
ONE_LOCAL: Shown = {
    "portrait": ("local",),
    "background": ("local",),
    "cut_out": ("local",),
    "blend": (),
}

CHOICES: dict[str, tuple[dict[str, object], Shown]] = {
    "nothing": ({}, ONE_FAL),
    "one engine": ({"engine": "local"}, ONE_LOCAL),
    "fal that does not blend": ({"engine": "fal", "engine_options": {"blend": False}}, ONE_FAL | {"blend": ()}),
    "the contract's example": (
        {"engines": {"portrait": ["openai", "fal"], "cut_out": "local", "blend": "none"}},
        {"portrait": ("openai", "fal"), "background": ("fal",), "cut_out": ("local",), "blend": ()},
    ),
    "an empty section": ({"engine": "local", "engines": {}}, ONE_LOCAL),
    "null means not named": ({"engine": "local", "engines": {"portrait": None}}, ONE_LOCAL),
    "one's own": (
        {"engine": "local", "engines": {"blend": MINE, "portrait": [MINE, "local"]}},
        ONE_LOCAL | {"portrait": ("mine", "local"), "blend": ("mine",)},
    ),
    "auto in a list": (
        {"engine": "local", "engines": {"portrait": ["auto", "local"]}},
        ONE_LOCAL | {"portrait": ("fal", "local")},
    ),
    "a server of one's own": (
        {"engines": {"portrait": ["openai", "fal"]}, "engine_options": {"openai": OWN_SERVER}},
        ONE_FAL | {"portrait": ("openai", "fal")},
    ),
    "options of one that is not chosen": (
        {"engine": "local", "engines": {}, "engine_options": {"openai": OWN_SERVER, "fal": {"deadline_s": 10}}},
        ONE_LOCAL,
    ),
}

WRONG: dict[str, tuple[dict[str, object], str]] = {
    "a misspelt verb": ({"engines": {"portait": "fal"}}, "engines.portait: there is no such setting"),
    "no engine": ({"engines": {"portrait": "fall"}}, "engines.portrait.0: must be 'auto', 'fal', 'local', 'openai'"),
    "an empty list": ({"engines": {"portrait": []}}, "engines.portrait: "),
    "none, but to blend": ({"engines": {"portrait": "none"}}, "engines.portrait.0: must be"),
    "none in a list": ({"engines": {"blend": ["none", "fal"]}}, "engines.blend.0: must be"),
    "a number": ({"engines": {"portrait": 5}}, "engines.portrait.0: "),
    "twice": ({"engines": {"portrait": ["fal", "local", "fal"]}}, "engines.portrait: names 'fal' twice"),
    "twice, by auto": ({"engines": {"portrait": ["fal", "auto"]}}, "engines.portrait: names one engine twice"),
    "no such class": ({"engines": {"portrait": "no.such:Engine"}}, "engine: there is no engine 'no.such:Engine'"),
    "one that does not blend": ({"engines": {"blend": "local"}}, "engines.blend: local cannot do it: it places"),
    "fal that does not blend": (
        {"engines": {"blend": "fal"}, "engine_options": {"fal": {"blend": False}}},
        "engines.blend: fal cannot do it: its option `blend` is false; name another engine here",
    ),
    "openai's default cannot cut out": (
        {"engine": "openai"},
        "engines.cut_out: openai cannot do it: the model gpt-image-2 makes no transparent background; name another",
    ),
    "a server without a model": (
        {"engines": {"background": "openai"}, "engine_options": {"openai": OWN_SERVER}},
        "engines.background: openai cannot do it: its option `models.background` names none",
    ),
    "flat options beside engines": (
        {"engines": {}, "engine_options": {"models": {"portrait": "fal-ai/flux-pulid"}}},
        "engine: there is no engine 'models'",
    ),
    "options that are none": ({"engines": {}, "engine_options": {"fal": 5}}, "engine_options.fal: must be a mapping"),
    "a wrong option": (
        {"engines": {}, "engine_options": {"fal": {"deadline_s": 0}}},
        "engine_options.fal.deadline_s: ",
    ),
    "a wrong option of one that is not chosen": (
        {"engine": "local", "engines": {}, "engine_options": {"openai": {"basis_url": "x"}}},
        "engine_options.openai.basis_url: there is no such setting",
    ),
    "a wrong option of one's own": (
        {"engines": {"blend": MINE}, "engine_options": {MINE: {"sharp": 1}}},
        f"engine_options.{MINE}.sharp: there is no such setting",
    ),
    "a wrong flat option": ({"engine_options": {"deadline_s": 0}}, "engine_options.deadline_s: "),
}


@pytest.mark.parametrize(("settings", "expected"), CHOICES.values(), ids=CHOICES.keys())
def test_which_engines_are_asked_for_what(settings: dict[str, object], expected: Shown) -> None:
    """By verb, in the order in which they are tried; a verb that is not named has `engine`."""
    assert shown(choice(**settings)) == expected


@pytest.mark.parametrize(("settings", "line"), WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_is_one_line(settings: dict[str, object], line: str) -> None:
    """Which stops the start."""
    with pytest.raises(SettingsError) as caught:
        choice(**settings)
    assert str(caught.value).startswith(line)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("missing", "settings"),
    [
        ("FAL_KEY", {"engines": {"portrait": ["local", "fal"]}}),
        ("OPENAI_API_KEY", {"engines": {"portrait": ["openai", "local"]}}),
    ],
)
def test_every_engine_of_a_list_needs_its_key(
    missing: str, settings: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though it may never be asked."""
    monkeypatch.delenv(missing)
    with pytest.raises(SettingsError, match=missing):
        choice(**settings, engine="local")


def test_an_engine_that_is_not_chosen_needs_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its options may stay where they are."""
    monkeypatch.delenv("FAL_KEY")
    assert shown(choice(engines={}, engine_options={"fal": {"deadline_s": 10}})) == ONE_LOCAL


def test_aige_engine_beside_engines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody could tell which of the two counts."""
    monkeypatch.setenv("AIGE_ENGINE", "local")
    assert shown(choice()) == ONE_LOCAL
    with pytest.raises(SettingsError, match="AIGE_ENGINE cannot be set beside `engines`"):
        choice(engines={"portrait": "fal"})


def test_what_makes_a_service_generative() -> None:
    """That generative models make its portraits and its backgrounds."""
    assert choice(engines={"cut_out": "local"}).generative
    assert not choice(engines={"background": ["fal", "local"]}).generative
    assert not choice(engine="local").generative


async def test_an_engine_is_made_with_its_own_options_be_it_chosen_or_not() -> None:
    """It may have been paid by an earlier attempt."""
    egress = Egress()
    chosen = choice(engine="local", engines={}, engine_options={"fal": {"blend": False}})
    fal = chosen.made("fal", egress, PictureLimits())
    assert isinstance(fal, FalEngine)
    assert not fal.blends
    with pytest.raises(SettingsError, match="there is no engine"):
        chosen.made("no.such:Engine", egress, PictureLimits())
    await egress.aclose()


@pytest.mark.parametrize("broken", [Keyless, Careless])
async def test_an_engine_that_breaks_down_cannot_be_made(broken: type[LocalEngine]) -> None:
    """Whatever it raises: tasks that were paid for may need it, and erasures."""
    egress = Egress()
    with pytest.raises(SettingsError, match=f"{broken.__name__}' cannot be created: KeyError$"):
        choice(engine="local").made(f"{__name__}:{broken.__name__}", egress, PictureLimits())
    await egress.aclose()


@pytest.mark.parametrize("blends", [True, False])
async def test_an_engine_may_say_of_itself_whether_it_blends(*, blends: bool) -> None:
    """By its options: it is asked for all else."""
    egress = Egress()
    chosen = choice(engine=f"{__name__}:Undecided", engine_options={"blend": blends})
    made = {verb: len(chosen.all_made(verb, egress, PictureLimits())) for verb in Verb}
    assert made == {Verb.PORTRAIT: 1, Verb.BACKGROUND: 1, Verb.CUT_OUT: 1, Verb.BLEND: int(blends)}
    await egress.aclose()


def test_flat_options_are_those_of_the_one_engine() -> None:
    """Another one that finishes what it was paid for has none."""
    settings = Settings(engine="fal", engine_options={"deadline_s": 10})
    assert options_of(settings, Environment(), "fal") == {"deadline_s": 10}
    assert options_of(settings, Environment(), "openai") == {}


def test_a_name_leads_to_a_class() -> None:
    """Short for those that are built in; `package.module:Class` for any."""
    assert issubclass(engine_class("local"), LocalEngine)
    assert issubclass(engine_class("fal"), FalEngine)
    assert issubclass(engine_class("deployments.engines.local.engine:LocalEngine"), LocalEngine)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("nowhere.at_all:Engine", "there is no engine 'nowhere.at_all:Engine': No module named 'nowhere'"),
        ("deployments.errors:Engine", "there is no engine 'deployments.errors:Engine': .* has no attribute 'Engine'"),
        ("deployments.errors:", "there is no engine 'deployments.errors:'"),
        (":Engine", "there is no engine ':Engine'"),
        ("deployments.errors:AigeError", "'deployments.errors:AigeError' is no engine: it needs name, generative"),
        ("deployments.errors:failure_of", "'deployments.errors:failure_of' is no engine"),
    ],
)
def test_what_is_no_engine_stops_the_start(name: str, why: str) -> None:
    """With one line that says why."""
    with pytest.raises(SettingsError, match=f"^engine: {why}"):
        engine_class(name)


def test_a_module_that_breaks_down_stops_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With one line, too."""
    (tmp_path / "breaks_down.py").write_text("import os\nKEY = os.environ['KEY_OF_ONES_OWN']\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(SettingsError, match=r"^engine: 'breaks_down:Engine' cannot be imported: KeyError$"):
        engine_class("breaks_down:Engine")
