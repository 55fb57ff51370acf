"""fal as the attacked service's provider: the emulator, in a thread of the attacker."""

from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from functools import cache
from pathlib import Path

from tests.chaos.paid import Books
from tests.fal_emulator import models
from tests.fal_emulator.emulator import FalEmulator, Request
from tests.fal_emulator.network import environment_of
from tests.sinks.object_store import serving

MODELS = {
    "portrait": "fal-ai/nano-banana-2/edit",
    "background": "fal-ai/nano-banana-2",
    "cut_out": "fal-ai/birefnet/v2",
    "blend": "fal-ai/flux-2/edit",
}
"""Four, so that each tells its verb."""
VERBS = {endpoint: verb for verb, endpoint in MODELS.items()}

mark_in = cache(models.mark_in)


class FalProvider:
    """See `tests.chaos.paid.Provider`. Overlays are paid for twice: the person has a background."""

    stages: Mapping[str, tuple[str, ...]] = {
        "avatar": ("portrait", "cut_out"),
        "background": ("background",),
        "overlay": ("cut_out", "blend"),
    }

    def __init__(self, folder: Path, latency_s: float = 2) -> None:
        self.fal = FalEmulator(run_s=latency_s)
        self._stack = ExitStack()
        environment = self._stack.enter_context(environment_of(self.fal, folder))
        self._store = self._stack.enter_context(serving())
        allowed = f"{environment['AIGE_ALLOW_HOSTS']},{self._store.host}"
        self.environment: Mapping[str, str] = environment | {"AIGE_ALLOW_HOSTS": allowed}
        self.settings: Mapping[str, object] = {"engine": "fal", "engine_options": {"models": MODELS}}
        self._names: dict[bytes, str] = {}  # by the mark that a task's pictures bear

    def person(self, name: str) -> str:
        self._names[models.mark_of(name)] = name
        return self._picture(name)

    def scene(self) -> str:
        return self._picture("scene")

    def store(self, name: str) -> str:
        return f"{self._store.url}/{name}"

    def books(self) -> Books:
        charges, cancelled = Counter[str](), Counter[str]()
        for request in list(self.fal.requests.values()):
            key = f"{VERBS[request.endpoint]}-{self._task_of(request)}"
            charges[key] += 1
            if request.cancelled:
                cancelled[f"{key}-{charges[key]}"] += 1
        stored = Counter(path.removeprefix("/") for path in list(self._store.objects))
        return {"charges": charges, "uploads": stored, "cancelled": cancelled}

    def close(self) -> None:
        self._stack.close()

    def is_at_work(self, *verbs: str) -> bool:
        """Whether requests of these verbs run, while no receipt is on its way: all requests have been asked about."""
        taken = list(self.fal.requests.values())
        running = {VERBS[request.endpoint] for request in taken if not request.result_reads}
        return running.issuperset(verbs) and all(request.status_reads for request in taken)

    def _task_of(self, request: Request) -> str:
        """The caller's words, which end every prompt, are its name; what is cut out bears the mark of what it is of."""
        if "prompt" not in request.arguments:
            return self._names[mark_in(request.arguments["image_url"])]
        prompt: str = request.arguments["prompt"]
        name = prompt.rpartition("\n")[2]
        self._names[models.mark_of(prompt)] = name
        return name

    def _picture(self, name: str) -> str:
        self.fal.files[f"{name}.png"] = models.marked(name, (64, 64))
        return f"{self.fal.files_url}/{name}.png"
