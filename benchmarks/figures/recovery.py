"""Recovery: a process is killed under tasks in flight; how long until the next is accepted, and all are done.

The time that the engine would have taken anyway is subtracted.
"""

import asyncio
import time
from contextlib import suppress
from pathlib import Path

import psutil

from benchmarks.http_wire import Connection
from benchmarks.system import NOT_READY, Running

REPLICA = "ray::ServeReplica:aige:"
VICTIMS = {
    "ingress": f"{REPLICA}Ingress",
    "engine_stage": f"{REPLICA}AvatarGenerator",
    "uploader": f"{REPLICA}Uploader",
    "task_status": "ray::TaskStatus",
    "controller": "ray::ServeController",
    "proxy": "ray::ProxyActor",
    "haproxy": "haproxy",
}
"""Which process is killed, by what its command line or program is called; each profile has one of the two proxies."""
EVERYTHING = "everything"
TASKS = 8
HOLD_S = 2.0
AGE_S = 0.5
"""How long after their submission the kill comes."""
PATIENCE_S = 120


async def measure(running: Running, _seconds: float) -> dict[str, float]:
    """Figures by name, in seconds."""
    figures = dict[str, float]()
    kinds = [kind for kind in VICTIMS if _members(running, kind)]
    for kind in (*kinds, EVERYTHING):
        await _until_well(running, kinds)
        figures |= await _recovered(running, kind)
    return figures


async def _recovered(running: Running, kind: str) -> dict[str, float]:
    arrivals = [await _accepted(running, HOLD_S) for _ in range(TASKS)]
    await asyncio.sleep(AGE_S)
    killed = time.monotonic()
    if kind == EVERYTHING:
        running.kill()
        starting = asyncio.create_task(running.start())
    else:
        _members(running, kind)[0].kill()
        starting = asyncio.create_task(asyncio.sleep(0))
    arrivals.append(await _accepted(running, 0))
    refused_s = time.monotonic() - killed
    ended = max(await asyncio.wait_for(asyncio.gather(*arrivals), PATIENCE_S))
    await starting
    return {
        f"recovery_{kind}_accepts_again_s": refused_s,
        f"recovery_{kind}_all_done_s": ended - killed - (HOLD_S - AGE_S),
    }


def _members(running: Running, kind: str) -> list[psutil.Process]:
    found = []
    for process in running.members():
        with suppress(psutil.Error):
            command = process.cmdline()
            if command and VICTIMS[kind] in {" ".join(command)[: len(VICTIMS[kind])], Path(command[0]).name}:
                found.append(process)
    return found


async def _accepted(running: Running, hold_s: float) -> asyncio.Future[float]:
    """Submits, again and again until it is accepted; answers the upload to come."""
    give_up = time.monotonic() + PATIENCE_S
    while time.monotonic() < give_up:
        upload = running.name_upload()
        with suppress(*NOT_READY):
            async with asyncio.timeout(5):
                connection = await Connection.to(running.port)
                try:
                    arrival = running.sink.arrival(upload)
                    await running.submit(connection, upload, hold_s)
                    return arrival
                finally:
                    await connection.close()
        await asyncio.sleep(0.05)
    raise AssertionError("nothing was accepted")


async def _until_well(running: Running, kinds: list[str]) -> None:
    """Every process is there again, and a task goes through."""
    give_up = time.monotonic() + PATIENCE_S
    while time.monotonic() < give_up:
        if all(_members(running, kind) for kind in kinds):
            with suppress(*NOT_READY):
                return await asyncio.wait_for(running.try_task(), 20)
        await asyncio.sleep(0.5)
    raise AssertionError("it does not recover")
