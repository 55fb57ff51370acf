"""Scaling: what more replicas bring, and a second Ray node; and how many calls a second one actor takes at most."""

import asyncio
import json
import sys

from benchmarks.figures import complete, status
from benchmarks.sink import Sink
from benchmarks.system import started
from benchmarks.systems import Aige, TwoNodes
from benchmarks.wrk import ROOT

REPLICAS = (1, 2, 4)
SETTLE_S = 5
"""HAProxy is loaded anew when it hears of more replicas, and then ends the connections that it has."""
DEPLOYMENTS = ("Ingress", "AvatarGenerator", "BackgroundRemover", "Uploader")
SCALED = ("status_reads_per_s_32", "status_p99_ms_32", "completed_per_s", "cpu_ms_per_task")

Figures = dict[str, dict[str, float]]


async def measure(profile: str, seconds: float) -> Figures:
    """Figures by name, then by system."""
    figures = Figures()
    for replicas in REPLICAS:
        await _add(figures, Aige(profile, f"_x{replicas}", _each(num_replicas=replicas)), seconds)
    await _add(figures, TwoNodes(profile, "_two_nodes", _each(num_replicas=2, max_replicas_per_node=1)), seconds)
    for figure, value in (await _actor_calls(seconds)).items():
        figures[figure] = {"one_actor": value}
    return figures


def _each(**options: object) -> dict[str, dict[str, object]]:
    return {deployment: dict(options) for deployment in DEPLOYMENTS}


async def _add(figures: Figures, system: Aige, seconds: float) -> None:
    """Status reads scale with the ingress, completed tasks with the stages."""
    async with Sink() as sink, started(system, sink) as running:
        await asyncio.sleep(SETTLE_S)
        measured = await status.measure(running, seconds) | await complete.measure(running, seconds)
    for figure in SCALED:
        figures.setdefault(figure, {})[system.name] = measured[figure]


async def _actor_calls(seconds: float) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.actor_calls", str(seconds)]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    said, _ = await process.communicate()
    measured: dict[str, float] = json.loads(said.splitlines()[-1])
    return measured
