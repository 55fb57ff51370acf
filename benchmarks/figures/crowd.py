"""Many tasks at once, and event streams on them: what figures with a crowd have in common."""

import asyncio
import json
import math
import time
from datetime import datetime
from itertools import cycle, islice
from typing import NamedTuple

from benchmarks.http_wire import Connection
from benchmarks.system import Running, connected

SUBMITTERS = 16


class Event(NamedTuple):
    """A status as an event stream told it."""

    status: str
    delay_s: float
    """From the change, as the task's own timeline has it, to the client."""
    age_s: float
    """From when the task was accepted."""


async def submit_all(
    running: Running, how_many: int, hold_s: float, *, per_s: float = math.inf
) -> tuple[list[str], list[asyncio.Future[float]]]:
    """Submits so many a second, or as fast as they are accepted; answers the tasks' ids and their uploads' arrivals."""
    ids, arrivals = list[str](), list[asyncio.Future[float]]()
    turns, began = iter(range(how_many)), time.monotonic()

    async def submitter() -> None:
        async with connected(running) as connection:
            for turn in turns:
                await asyncio.sleep(began + turn / per_s - time.monotonic())
                upload = running.name_upload()
                arrivals.append(running.sink.arrival(upload))
                ids.append(await running.submit(connection, upload, hold_s))

    await asyncio.gather(*(submitter() for _ in range(SUBMITTERS)))
    return ids, arrivals


async def count_done(running: Running, ids: list[str]) -> int:
    """How many of these tasks are `done`, when each had a moment to get there."""
    turns, done = iter(ids), 0

    async def asker() -> None:
        nonlocal done
        async with connected(running) as connection:
            for task_id in turns:
                give_up = time.monotonic() + 10
                while (status := await running.status(connection, task_id)) != running.api.done:
                    if status == "error" or time.monotonic() > give_up:
                        break
                    await asyncio.sleep(0.1)
                else:
                    done += 1

    await asyncio.gather(*(asker() for _ in range(SUBMITTERS)))
    return done


async def status_times(running: Running, ids: list[str], seconds: float) -> list[float]:
    """How long status reads take, in seconds, asked gently: ten clients, each five times a second."""
    times = list[float]()
    stop = time.monotonic() + seconds

    async def client(number: int) -> None:
        async with connected(running) as connection:
            for task_id in islice(cycle(ids), number, None, 10):
                if (began := time.monotonic()) >= stop:
                    return
                await running.status(connection, task_id)
                times.append(time.monotonic() - began)
                await asyncio.sleep(0.2)

    await asyncio.gather(*(client(number) for number in range(10)))
    return times


async def follow(running: Running, task_id: str, opened: asyncio.Semaphore, heard: dict[str, list[Event]]) -> None:
    """Reads a task's event stream to its end; `opened` bounds how many are being opened at once."""
    assert running.api.events
    events = heard.setdefault(task_id, [])
    async with opened:
        connection = await Connection.to(running.port)
        stream = connection.events(running.api.events.format(task_id))
        _event(await anext(stream))  # where the task stands: no change
    async for data in stream:
        events.append(_event(data))
    await connection.close()


def _event(data: bytes) -> Event:
    timeline = json.loads(data)["timeline"]
    return Event(timeline[-1]["status"], _seconds_since(timeline[-1]), _seconds_since(timeline[0]))


def _seconds_since(moment: dict[str, str]) -> float:
    return time.time() - datetime.fromisoformat(moment["at"]).timestamp()
