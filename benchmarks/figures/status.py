"""Status reads: how many a second, and how long the slowest take, over a few and over many connections."""

import asyncio
from pathlib import Path

from benchmarks.system import Running, connected
from benchmarks.wrk import Load, wrk

CONNECTIONS = (32, 512)
TASKS = 200
"""How many tasks are asked about, in turn."""


async def measure(running: Running, seconds: float) -> dict[str, float]:
    """Figures by name."""
    await prepare(running)
    await read(running, CONNECTIONS[0], 1)  # to warm up
    figures = dict[str, float]()
    for connections in CONNECTIONS:
        load = await read(running, connections, seconds)
        figures |= {
            f"status_reads_per_s_{connections}": load.per_s,
            f"status_p99_ms_{connections}": load.p99_ms,
            f"status_not_answered_{connections}": load.refused + load.broken,
        }
        await asyncio.sleep(0.5)
    return figures


async def prepare(running: Running) -> None:
    """Has tasks that can be asked about."""
    async with connected(running) as connection:
        ids = [await running.submit(connection, running.name_upload()) for _ in range(TASKS)]
        for task_id in ids:
            await running.until_done(connection, task_id, every_s=0.05)
    _paths(running).write_text("\n".join(running.api.status.format(task_id) for task_id in ids))


async def read(running: Running, connections: int, seconds: float) -> Load:
    """Reads statuses as fast as they come; `prepare` comes first."""
    return await wrk(
        running.port,
        "status",
        [str(_paths(running))],
        connections=connections,
        seconds=seconds,
        key=running.api.key,
    )


def _paths(running: Running) -> Path:
    return running.folder / "paths"
