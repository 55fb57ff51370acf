"""Settings that change while paid requests are under way, on the real service."""

from collections.abc import Iterator

import pytest

from tests.chaos.engine_changes import LATENCY_S, who_was_paid_finishes
from tests.chaos.harness import Chaos, chaos
from tests.chaos.two_providers import TwoProviders


@pytest.fixture(scope="module")
def providers(tmp_path_factory: pytest.TempPathFactory) -> TwoProviders:
    return TwoProviders(tmp_path_factory.mktemp("providers"), {}, LATENCY_S)


@pytest.fixture(scope="module")
def service(providers: TwoProviders, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chaos]:
    with chaos(tmp_path_factory.mktemp("chaos-engines"), providers) as service:
        yield service


@pytest.mark.parametrize("change", ["fal to openai", "fal's key removed"])
def test_who_was_paid_finishes(service: Chaos, providers: TwoProviders, change: str) -> None:
    """`python -m tests.chaos.engine_changes` makes the other changes too."""
    who_was_paid_finishes(service, providers, change)
