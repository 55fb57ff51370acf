"""The graph that Ray Serve builds, on whatever way it is started."""

import pytest

import graph
from deployments.errors import SettingsError
from deployments.settings import Settings


def test_a_misspelt_variable_stops_the_build(monkeypatch: pytest.MonkeyPatch) -> None:
    """Under `serve run`, `serve deploy` and KubeRay too: with a misspelt AIGE_API_KEYS, everybody could call."""
    monkeypatch.setenv("AIGE_API_KEY", "app:secret")
    with pytest.raises(SettingsError, match="AIGE_API_KEY: there is no such variable; AIGE_API_KEYS is one"):
        graph.build(Settings())
