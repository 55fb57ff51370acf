"""`make bench`: every figure, of every system in turn, several times over.

python -m benchmarks                    all of it, about an hour; with --rounds 1, 20 minutes
python -m benchmarks status accept      some figures
python -m benchmarks --only aige_laptop,fastapi_dict
"""

import argparse
import asyncio
import resource
import signal
import sys
import traceback
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from shutil import which
from typing import TypeVar

from benchmarks.figures import (
    accept,
    complete,
    flood,
    in_flight,
    journals,
    latency,
    pictures,
    recovery,
    scaling,
    start,
    status,
    streams,
)
from benchmarks.results import RESULTS, Results
from benchmarks.sink import Sink
from benchmarks.system import Running, System, started
from benchmarks.systems import PEER_SYSTEMS, PEERS_BIN, Aige, BareGraph, with_callers, without_provenance
from benchmarks.table import as_markdown
from deployments.settings import Profile

Measure = Callable[[Running, float], Awaitable[dict[str, float]]]

OF_EACH: dict[str, Measure] = {
    "status": status.measure,
    "accept": accept.measure,
    "complete": complete.measure,
    "latency": latency.measure,
}
OF_OURS: dict[str, Measure] = {
    "in_flight": in_flight.measure,
    "streams": streams.measure,
    "recovery": recovery.measure,
}
BY_THEMSELVES = ("start", "pictures", "scaling", "journals", "flood")
"""These start what they need themselves."""


def main() -> int:
    """Measures, and says how it went."""
    arguments = _arguments()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # whatever ends us, our servers end too
    _allow_many_sockets()
    last = arguments.profile[-1]
    ours = [*(Aige(profile) for profile in arguments.profile), without_provenance(last), with_callers(last)]
    systems: list[System] = [*ours, BareGraph(last), *PEER_SYSTEMS]
    chosen = [system for system in systems if not arguments.only or system.name in arguments.only]
    if missing := _missing():
        print("\n".join(missing), file=sys.stderr)
        return 2
    results = Results(arguments.results)
    try:
        asyncio.run(_measure(chosen, arguments, results))
    finally:
        table = as_markdown(results.write(arguments.rounds, arguments.seconds))
        (arguments.results / "table.md").write_text(table, encoding="utf-8")
        print(table)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    every = (*OF_EACH, *OF_OURS, *BY_THEMSELVES)
    profiles = [profile.value for profile in Profile]
    parser.add_argument("figures", nargs="*", choices=[[], *every], metavar="FIGURE", help=", ".join(every))
    parser.add_argument("--only", type=_listed, default=[], metavar="SYSTEM,…", help="only these systems")
    parser.add_argument("--profile", type=_listed, default=profiles, metavar=",".join(profiles), help="of ours")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3, help="how long each load lasts")
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="FOLDER", help="where the results go")
    return parser.parse_args()


def _listed(names: str) -> list[str]:
    return names.split(",")


def _missing() -> list[str]:
    """What has to be installed first."""
    tools = {"wrk": "wrk", "redis-server": "redis-server"}
    missing = [f"{tool} is missing: apt-get install {package}" for tool, package in tools.items() if not which(tool)]
    if not PEERS_BIN.exists():
        missing.append("The peers are not installed: run `make bench`, which does it.")
    return missing


def _allow_many_sockets() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


async def _measure(systems: list[System], arguments: argparse.Namespace, results: Results) -> None:
    for number in range(1, arguments.rounds + 1):
        for system in systems:
            in_depth = system.name == Aige(arguments.profile[-1]).name
            figures = _chosen(OF_EACH | OF_OURS if in_depth else OF_EACH, arguments)
            if figures:
                print(f"round {number}: {system.title}", flush=True)
                await _measure_system(system, figures, arguments.seconds, results)
        for name, measure in _chosen(_by_themselves(arguments.profile[-1]), arguments).items():
            print(f"round {number}: {name}", flush=True)
            for figure, by_system in (await measure(arguments.seconds)).items():
                for measured, value in by_system.items():
                    _note(results, name, measured, {figure: value})


async def _measure_system(system: System, figures: dict[str, Measure], seconds: float, results: Results) -> None:
    """A system that fails is no reason to stop measuring the others: it shows in the table as a gap."""
    try:
        async with Sink() as sink, started(system, sink) as running:
            for name, measure in figures.items():
                _note(results, name, system.name, await measure(running, seconds))
    except Exception:
        traceback.print_exc()


def _by_themselves(profile: str) -> dict[str, Callable[[float], Awaitable[dict[str, dict[str, float]]]]]:
    return {
        "start": partial(start.measure, profile),
        "pictures": pictures.measure,
        "scaling": partial(scaling.measure, profile),
        "flood": partial(flood.measure, profile),
        "journals": partial(journals.measure, profile),
    }


M = TypeVar("M")


def _chosen(figures: dict[str, M], arguments: argparse.Namespace) -> dict[str, M]:
    return {name: measure for name, measure in figures.items() if name in (arguments.figures or figures)}


def _note(results: Results, group: str, system: str, figures: dict[str, float]) -> None:
    results.add(group, system, figures)
    shown = "  ".join(f"{figure} {value:.4g}" for figure, value in figures.items())
    print(f"  {system}: {shown}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
