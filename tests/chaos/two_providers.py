"""fal and an images API as an attacked service's providers: two emulators, each in a thread of the attacker."""

from collections.abc import Mapping
from pathlib import Path

from anyio.from_thread import start_blocking_portal

from tests.chaos.fal import MODELS, FalProvider
from tests.fal_emulator.emulator import KEY as FAL_KEY
from tests.fal_emulator.http import serving
from tests.openai_emulator.emulator import KEY as OPENAI_KEY
from tests.openai_emulator.emulator import OpenAIEmulator

__all__ = ["FAL_KEY", "OPENAI_KEY", "TwoProviders"]


class TwoProviders(FalProvider):
    """See `FalProvider`, whose books are fal's alone; what the other one charges for is in `openai.calls`."""

    def __init__(
        self, folder: Path, engines: Mapping[str, object], latency_s: float = 2, openai_key: str = OPENAI_KEY
    ) -> None:
        super().__init__(folder, latency_s)
        self.openai = OpenAIEmulator(run_s=latency_s)
        portal = self._stack.enter_context(start_blocking_portal())
        port = self._stack.enter_context(portal.wrap_async_context_manager(serving(self.openai.handle, None)))
        models = dict.fromkeys(("portrait", "background", "blend"), "gpt-image-2")
        own = {"base_url": f"http://127.0.0.1:{port}/v1", "models": models}
        self.settings: Mapping[str, object] = {
            "engine": "fal",
            "engines": engines,
            "engine_options": {"fal": {"models": MODELS}, "openai": own},
        }
        self.environment: Mapping[str, str] = {**self.environment, "OPENAI_API_KEY": openai_key}
