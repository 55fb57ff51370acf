"""How many calls a second one Ray actor answers, with the options of ours and a body that does nothing: the ceiling of
any design in which each read, or each step of a task, is a call to it. Figures as JSON on stdout.

The argument: for how many seconds each number of callers calls.
"""

import asyncio
import json
import os
import secrets
import sys
import tempfile
import time

import ray
from ray.actor import ActorHandle

CALLERS = (1, 2, 4)
AS_OURS = {"num_cpus": 0, "max_concurrency": 100_000, "enable_task_events": False}
AT_ONCE = 32
"""How many calls each caller has under way."""


class Answering:
    """Answers with as much as a task's record takes."""

    async def get(self, task_id: str) -> tuple[str, bytes]:
        return task_id, bytes(500)


class Caller:
    """Calls for a while."""

    def __init__(self, answering: ActorHandle[Answering]) -> None:
        self._answering = answering

    async def call(self, seconds: float) -> int:
        stop = time.monotonic() + seconds
        return sum(await asyncio.gather(*(self._lane(stop) for _ in range(AT_ONCE))))

    async def _lane(self, stop: float) -> int:
        calls = 0
        while time.monotonic() < stop:
            await self._answering.get.remote("a task")
            calls += 1
        return calls


def main() -> None:
    """Measures."""
    seconds = float(sys.argv[1])
    os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)
    figures = {}
    with tempfile.TemporaryDirectory(prefix="aige-bench-", ignore_cleanup_errors=True) as folder:
        ray.init(num_cpus=1, object_store_memory=2**27, include_dashboard=False, _temp_dir=folder, log_to_driver=False)
        answering = ray.remote(Answering).options(**AS_OURS).remote()
        for how_many in CALLERS:
            callers = [ray.remote(Caller).options(num_cpus=0).remote(answering) for _ in range(how_many)]
            _call(callers, 0.5)  # to warm up
            figures[f"actor_calls_per_s_{how_many}_callers"] = _call(callers, seconds) / seconds
        ray.shutdown()
    print(json.dumps(figures))


def _call(callers: list[ActorHandle[Caller] | type[Caller]], seconds: float) -> int:
    """How many calls they get answered together."""
    return sum(ray.get([caller.call.remote(seconds) for caller in callers]))  # type: ignore[attr-defined]  # Ray's gap


if __name__ == "__main__":
    main()
