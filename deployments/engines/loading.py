"""From the settings to the engines: which is asked for what, in which order, and with which options.

An engine's *name* here is what stands in `serve_config.yaml`: `fal`, `local`, `openai` or `package.module:Class`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from deployments.engines.base import Engine, EngineContext, Verb
from deployments.errors import SettingsError
from deployments.media.images import PictureLimits
from deployments.settings import Environment, Settings

if TYPE_CHECKING:  # as in `deployments.engines.base`
    from deployments.media.egress import Egress

_BUILT_IN = {
    "fal": "deployments.engines.fal.engine:FalEngine",
    "local": "deployments.engines.local.engine:LocalEngine",
    "openai": "deployments.engines.openai.engine:OpenAIEngine",
}
_PROMISED = ("name", "generative", "blends", "portrait", "background", "cut_out", "blend")


def engine_class(name: str) -> type[Engine]:
    """The class of a built-in engine, or of anyone's own, named `package.module:Class`.

    Raises:
        SettingsError: there is no such engine.
    """
    module, _, class_name = _BUILT_IN.get(name, name).partition(":")
    try:
        found = getattr(import_module(module), class_name)
    except (ImportError, AttributeError, ValueError) as error:
        raise SettingsError(f"engine: there is no engine {name!r}: {error}") from error
    except Exception as error:
        raise SettingsError(f"engine: {name!r} cannot be imported: {type(error).__name__}") from error
    if not isinstance(found, type) or not all(hasattr(found, name) for name in _PROMISED):
        raise SettingsError(f"engine: {name!r} is no engine: it needs {', '.join(_PROMISED)}")
    return found


@dataclass(frozen=True, slots=True)
class Choice:
    """The engines in use: names in the order in which they are tried, by verb; none where nothing is blended."""

    settings: Settings
    environment: Environment
    verbs: Mapping[Verb, tuple[str, ...]]

    def shown(self, verb: Verb) -> tuple[str, ...]:
        """The engines of a verb, as they call themselves."""
        return tuple(engine_class(name).name for name in self.verbs[verb])

    @property
    def generative(self) -> bool:
        """Whether generative models make the portraits and backgrounds."""
        names = {*self.verbs[Verb.PORTRAIT], *self.verbs[Verb.BACKGROUND]}
        return all(engine_class(name).generative for name in names)

    @property
    def names(self) -> frozenset[str]:
        """All engines that are asked for anything."""
        return frozenset(name for names in self.verbs.values() for name in names)

    def made(self, name: str, egress: "Egress", limits: PictureLimits) -> Engine:
        """An engine, ready to work, be it chosen or not.

        Raises:
            SettingsError: there is no such engine, something that it needs is missing or wrong, or it breaks down.
        """
        try:
            found, options = checked(name, self.settings, self.environment)
            return found(EngineContext(egress, limits, self.environment, options, options_place(self.settings, name)))
        except SettingsError:
            raise
        except Exception as error:
            raise SettingsError(f"engine: {name!r} cannot be created: {type(error).__name__}") from error

    def all_made(self, verb: Verb, egress: "Egress", limits: PictureLimits) -> dict[str, Engine]:
        """The engines of a verb by name, ready to work, without those that say of themselves that they do not blend.

        Raises:
            SettingsError: as `made`.
        """
        made = {name: self.made(name, egress, limits) for name in self.verbs[verb]}
        return {name: engine for name, engine in made.items() if verb is not Verb.BLEND or engine.blends}


def chosen_engines(settings: Settings, environment: Environment) -> Choice:
    """The engines in use, all of them checked.

    Raises:
        SettingsError: there is no such engine, something that it needs is missing or wrong, or it cannot do a verb.
    """
    default = environment.engine(settings)
    listed = {verb: _listed(settings, environment, verb) for verb in Verb}
    verbs = {verb: (default,) if names is None else names for verb, names in listed.items()}
    for name in dict.fromkeys(name for names in verbs.values() for name in names):
        checked(name, settings, environment)
    _check_other_options(settings, environment)
    for verb, names in verbs.items():
        for name in names:
            if reason := _lack(name, verb, options_of(settings, environment, name)):
                if verb is Verb.BLEND and listed[verb] is None:
                    verbs[verb] = ()  # nobody asked for it
                else:
                    raise SettingsError(f"engines.{verb}: {name} cannot do it: {reason}; name another engine here")
    return Choice(settings, environment, verbs)


def checked(name: str, settings: Settings, environment: Environment) -> tuple[type[Engine], Mapping[str, object]]:
    """An engine's class and its options, after its own `check` of them, if it has one.

    Raises:
        SettingsError: there is no such engine, or something that it needs is missing or wrong.
    """
    found, options = engine_class(name), options_of(settings, environment, name)
    if (check := getattr(found, "check", None)) is not None:
        try:
            check(options, environment)
        except SettingsError as error:
            raise SettingsError(str(error).replace("engine_options", options_place(settings, name), 1)) from None
    return found, options


def options_of(settings: Settings, environment: Environment, name: str) -> Mapping[str, object]:
    """An engine's own options. Where `engines` is absent, they are those of the one engine, and others have none.

    Raises:
        SettingsError: they are no mapping.
    """
    if settings.engines is None:
        return settings.engine_options if name == environment.engine(settings) else {}
    options = settings.engine_options.get(name, {})
    if not isinstance(options, dict):
        raise SettingsError(f"engine_options.{name}: must be a mapping of this engine's options")
    return options


def options_place(settings: Settings, name: str) -> str:
    """Where an engine's options stand."""
    return "engine_options" if settings.engines is None else f"engine_options.{name}"


def _listed(settings: Settings, environment: Environment, verb: Verb) -> tuple[str, ...] | None:
    """The engines that `engines` names for a verb; None where it names none."""
    names: tuple[str, ...] | None = getattr(settings.engines, verb, None)
    if names is None:
        return None
    resolved = tuple(environment.resolved(name) for name in names)
    if len(set(resolved)) < len(resolved):
        raise SettingsError(f"engines.{verb}: names one engine twice, as `auto` means {environment.resolved('auto')}")
    return resolved


def _check_other_options(settings: Settings, environment: Environment) -> None:
    """Options of an engine that is not chosen must be right too: it may have work to finish. Its key may be gone."""
    for name in settings.engine_options if settings.engines is not None else ():
        try:
            checked(name, settings, environment)
        except SettingsError as error:
            if str(error).startswith("engine"):
                raise


def _lack(name: str, verb: Verb, options: Mapping[str, object]) -> str | None:
    found = engine_class(name)
    if verb is Verb.BLEND and getattr(found, "blends") is False:  # noqa: B009 - an instance may know better
        return "it places exactly and blends nothing"
    lacks = getattr(found, "lacks", None)
    reason: str | None = lacks(verb, options) if lacks else None
    return reason
