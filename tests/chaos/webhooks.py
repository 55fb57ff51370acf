"""Webhooks under attack: tasks that have one, a kill every few seconds, and at the end the receiver's books.

    python -m tests.chaos.webhooks                    1,000 tasks, a random process dies every ten seconds
    python -m tests.chaos.webhooks --tasks 200 --every 5

Exit status: 0 if each task's end was told at least once, always with the same id.
"""

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from tests.chaos.harness import VICTIMS, Chaos, chaos
from tests.chaos.paid import PaidProvider

EVERYTHING = "everything at once"
KINDS = ("avatar", "background", "overlay")
NUMBERS = count()
DELIVERED_S = 120
"""How long a webhook may take after its task's end, where nothing dies any more."""


@dataclass
class Told:
    """How many tasks there were, how often their ends were told, and what went wrong."""

    tasks: int = 0
    times: int = 0
    twice: int = 0
    missing: list[str] = field(default_factory=list)
    strange: list[str] = field(default_factory=list)


def main() -> int:
    """Attacks, and says how it went."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=1_000)
    parser.add_argument("--every", type=float, default=10, help="seconds between kills")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, chaos(Path(folder), PaidProvider(latency_s=0.5)) as service:
        told = audit(service, attack(service, arguments.tasks, arguments.every))
    print(f"{told.tasks} tasks, told {told.times} times ({told.twice} of them more than once)")
    print("\n".join((*told.missing, *told.strange)) or "No webhook is missing, and none has another id.")
    return 1 if told.missing or told.strange else 0


def attack(service: Chaos, tasks: int, every: float) -> dict[str, str]:
    """Submits tasks with webhooks while processes die; answers the tasks' ids by their names."""
    ids: dict[str, str] = {}
    next_kill = time.monotonic() + every
    for _ in range(tasks):
        submit_one(service, ids)
        if time.monotonic() >= next_kill:
            victim = random.choice((*VICTIMS, EVERYTHING))
            kill(service, victim)
            print(f"{len(ids)} accepted, killed {victim}", flush=True)
            next_kill = time.monotonic() + every
    return ids


def submit_one(service: Chaos, ids: dict[str, str]) -> None:
    """A task of any kind, with a webhook."""
    assert isinstance(service.provider, PaidProvider)
    name = f"{random.choice(KINDS)}-hook-{next(NUMBERS)}"
    ids[name] = service.submit(name, webhookUrl=service.provider.hook(name))


def kill(service: Chaos, victim: str) -> None:
    """One process, or all at once; then it starts again."""
    if victim == EVERYTHING:
        service.kill_everything()
        service.start()
    else:
        service.kill(victim)


def audit(service: Chaos, ids: dict[str, str]) -> Told:
    """Waits for all webhooks, and reads the receiver's books."""
    for task_id in ids.values():
        service.ended(task_id)
    give_up = time.monotonic() + DELIVERED_S
    while (told := compared(service, ids)).missing and time.monotonic() < give_up:
        time.sleep(1)
    return told


def compared(service: Chaos, ids: dict[str, str]) -> Told:
    """What the receiver has heard by now."""
    heard = Counter(service.provider.books()["hooks"])
    told = Told(tasks=len(ids), times=heard.total())
    known = {f"{name} {task_id}" for name, task_id in ids.items()}
    told.missing = [f"{one} was never told" for one in known if not heard[one]]
    told.twice = sum(heard[one] > 1 for one in known)
    told.strange = [f"{one} is no task's webhook" for one in heard if one not in known and "-hook-" in one]
    return told


if __name__ == "__main__":
    sys.exit(main())
