"""Settings that change between a kill of everything and the next start: who was paid finishes, nobody pays twice.

python -m tests.chaos.engine_changes    all of `CHANGES`; the suite makes two of them, since each takes two starts
"""

import tempfile
from itertools import count
from pathlib import Path

from tests.chaos.harness import Chaos, chaos
from tests.chaos.two_providers import FAL_KEY, OPENAI_KEY, TwoProviders

TASKS = 20
LATENCY_S = 6
"""Longer than it takes to accept and submit all tasks."""
FAL: dict[str, object] = {"engine": "fal", "engines": {}}
LOCAL: dict[str, object] = {"engine": "local", "engines": {}}
OPENAI: dict[str, object] = {"engine": "fal", "engines": {"background": "openai"}}
KEYS = {"FAL_KEY": FAL_KEY, "OPENAI_API_KEY": OPENAI_KEY}

CHANGES: dict[str, tuple[dict[str, object], dict[str, object], dict[str, str | None], str, str | None]] = {
    "fal to local": (FAL, LOCAL, {}, "done", None),
    "fal to openai": (FAL, OPENAI, {}, "done", None),
    "openai to fal": (OPENAI, FAL, {}, "error", "engine_outcome_unknown"),
    "fal's key removed": (FAL, LOCAL, {"FAL_KEY": None}, "error", "engine_error"),
    "openai's key removed": (OPENAI, LOCAL, {"OPENAI_API_KEY": None}, "error", "engine_outcome_unknown"),
}
"""Settings before and after, variables that change, and how the tasks end."""

numbers = count()


def who_was_paid_finishes(service: Chaos, providers: TwoProviders, change: str) -> None:
    """Twenty tasks in flight: the paid requests are finished by their own engine, or end with a clear error."""
    before, after, variables, status, code = CHANGES[change]
    fal, openai = providers.fal, providers.openai
    service.kill_everything()
    service.configure(KEYS, **before)
    service.start()
    posts = fal.posts + openai.posts
    asked = fal.posts, openai.posts
    tasks = {name: service.submit(name) for name in (f"background-{next(numbers)}" for _ in range(TASKS))}
    service.wait_until(lambda: fal.posts + openai.posts == posts + TASKS, "some were never asked for")
    if before is FAL:  # a receipt is on its way until its request is looked at
        service.wait_until(lambda: all(request.status_reads for request in fal.requests.values()), "no receipts")
    service.kill_everything()
    service.configure(variables, **after)
    service.start()
    for task_id in tasks.values():
        task = service.ended(task_id)
        assert task["status"] == status, task
        if code is None:
            assert task["made_by"] == [
                {"stage": "BackgroundGenerator", "engine": "fal", "model": "fal-ai/nano-banana-2"}
            ]
            assert task["engine"] == "fal"
        else:
            assert isinstance(task["error"], dict)
            assert task["error"]["code"] == code
    submitted = fal.posts - asked[0], openai.posts - asked[1]
    assert submitted == ((TASKS, 0) if before is FAL else (0, TASKS))


def main() -> None:
    """All of them, one after the other."""
    with tempfile.TemporaryDirectory() as name:
        providers = TwoProviders(Path(name), {}, LATENCY_S)
        with chaos(Path(name), providers) as service:
            for change in CHANGES:
                who_was_paid_finishes(service, providers, change)
                print(f"{change}: {TASKS} tasks, {TASKS} submits", flush=True)


if __name__ == "__main__":
    main()
