"""From the name of an engine to its class."""

from importlib import import_module

from deployments.engines.base import Engine, EngineContext
from deployments.errors import SettingsError
from deployments.settings import Environment, Settings

_BUILT_IN = {
    "fal": "deployments.engines.fal.engine:FalEngine",
    "local": "deployments.engines.local.engine:LocalEngine",
}


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
    if not isinstance(found, type) or not all(hasattr(found, name) for name in _PROMISED):
        raise SettingsError(f"engine: {name!r} is no engine: it needs {', '.join(_PROMISED)}")
    return found


def checked_engine(settings: Settings, environment: Environment) -> type[Engine]:
    """The class of the configured engine, after its own `check` of its options, if it has one.

    Raises:
        SettingsError: there is no such engine, or something that it needs is missing or wrong.
    """
    found = engine_class(environment.engine(settings))
    if (check := getattr(found, "check", None)) is not None:
        check(settings.engine_options, environment)
    return found


_PROMISED = ("name", "generative", "blends", "portrait", "background", "cut_out", "blend")


def load_engine(name: str, context: EngineContext) -> Engine:
    """The engine, ready to work."""
    return engine_class(name)(context)
