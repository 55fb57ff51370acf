"""`make soak`: constant load and a kill every few seconds, and at the end the books. Not a test: it takes its time.

    python -m tests.chaos.soak                 ten minutes, a random process dies every ten seconds
    python -m tests.chaos.soak --rounds 20     each kind of process dies that often, all of them at once too
    python -m tests.chaos.soak --engine fal    the fal engine pays, towards fal's emulator

Exit status: 0 if no task was lost and none was charged twice.
"""

import argparse
import json
import random
import sys
import tempfile
import time
from contextlib import suppress
from itertools import count
from pathlib import Path

import psutil

from scripts import processes
from tests.chaos.fal import FalProvider
from tests.chaos.harness import VICTIMS, Chaos, Tally, chaos
from tests.chaos.paid import PaidProvider

KINDS = ("avatar", "background", "overlay")
EVERYTHING = "everything at once"


def main() -> int:
    """Attacks, and says how it went."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--every", type=float, default=10, help="seconds between kills")
    parser.add_argument("--engine", choices=("paid", "fal"), default="paid")
    parser.add_argument("--rounds", type=int, help="instead: kill each kind of process this often")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        provider = FalProvider(folder) if arguments.engine == "fal" else PaidProvider()
        with chaos(folder, provider) as service:
            tallies = attack(service, arguments)
    lost = [one for tally in tallies.values() for one in tally.lost]
    print(json.dumps(lost, indent=1) if lost else "Nothing was lost, and nothing was charged twice.")
    return 1 if lost else 0


def attack(service: Chaos, arguments: argparse.Namespace) -> dict[str, Tally]:
    """How it went, by victim."""
    before = memory(service)
    if arguments.rounds:
        tallies = {victim: rounds(service, victim, arguments.rounds) for victim in (*VICTIMS, EVERYTHING)}
    else:
        tallies = {"random": soak(service, arguments.minutes * 60, arguments.every)}
    charges = sum(service.provider.books()["charges"].values())
    print(f"charges {charges}; memory {before:.0f} MB at the start, {memory(service):.0f} MB at the end")
    return tallies


def memory(service: Chaos) -> float:
    """What the service's processes take together, shared pages counted once, in MB."""
    total = 0
    for process in processes.marked(service.data):
        with suppress(psutil.Error):
            total += process.memory_full_info().pss
    return total / 2**20


NUMBERS = count()


def submit_some(service: Chaos, how_many: int) -> dict[str, str]:
    """Tasks of any kind, by name."""
    names = [f"{random.choice(KINDS)}-{next(NUMBERS)}" for _ in range(how_many)]
    return {name: service.submit(name) for name in names}


def rounds(service: Chaos, victim: str, how_often: int) -> Tally:
    """Tasks, a kill at a random moment, more tasks, the books; again and again."""
    tally = Tally()
    for _ in range(how_often):
        tasks = submit_some(service, 4)
        time.sleep(random.uniform(0, 3))
        if victim == EVERYTHING:
            service.kill_everything()
            service.start()
        else:
            service.kill(victim)
        killed = time.monotonic()
        tasks |= submit_some(service, 2)
        service.audit(tasks, tally)
        tally.recovery_s.append(time.monotonic() - killed)
    slowest = max(tally.recovery_s)
    median = sorted(tally.recovery_s)[how_often // 2]
    print(
        f"{victim:45} {tally.accepted} accepted, {tally.done} done, {tally.unknown} of unknown outcome, "
        f"{len(tally.lost)} lost; all ended {median:.1f} s after the kill (median; {slowest:.1f} s at most)",
        flush=True,
    )
    return tally


def soak(service: Chaos, seconds: float, every: float) -> Tally:
    """A task a second, and a random kill now and then."""
    tally, tasks = Tally(), dict[str, str]()
    end, next_kill = time.monotonic() + seconds, time.monotonic() + every
    while time.monotonic() < end:
        tasks |= submit_some(service, 1)
        if time.monotonic() >= next_kill:
            victim = random.choice(VICTIMS)
            service.kill(victim)
            print(f"{end - time.monotonic():5.0f} s to go, {len(tasks)} accepted, killed {victim}", flush=True)
            next_kill += every
        time.sleep(1)
    service.audit(tasks, tally)
    print(f"{tally.accepted} accepted, {tally.done} done, {tally.unknown} of unknown outcome, {len(tally.lost)} lost")
    return tally


if __name__ == "__main__":
    sys.exit(main())
