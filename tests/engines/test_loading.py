"""From the name of an engine to its class: built in, or anyone's own."""

import pytest

from deployments.engines.fal.engine import FalEngine
from deployments.engines.loading import checked_engine, engine_class
from deployments.engines.local.engine import LocalEngine
from deployments.errors import SettingsError
from deployments.settings import Environment, Settings


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


def test_an_engine_checks_its_own_options(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the service starts; one that has nothing to check is taken as it is."""
    monkeypatch.setenv("FAL_KEY", "key:secret")
    monkeypatch.delenv("AIGE_ENGINE", raising=False)
    wrong = Settings(engine="fal", engine_options={"modles": {}})
    with pytest.raises(SettingsError, match=r"^engine_options\.modles: there is no such setting$"):
        checked_engine(wrong, Environment())
    assert issubclass(checked_engine(Settings(engine="fal"), Environment()), FalEngine)
    assert issubclass(checked_engine(Settings(engine="local"), Environment()), LocalEngine)
