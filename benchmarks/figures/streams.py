"""Event streams: thousands held open at once, and how late a client hears.

All tasks are submitted at one rate, so the engine ends them at that rate. Two cores cannot bear it, so tasks queue.
Versions differ in where they queue: before a task's status changes, or between the change and its event. So two delays
are measured: of each event, from the change that it tells; and of the event `done`, from the engine's end.
"""

import asyncio
from statistics import median, quantiles

from benchmarks.figures import crowd
from benchmarks.system import Running

STREAMS = 5_000
PER_S = 400
OPENED_AT_ONCE = 50
ENGINE_S = 20


async def measure(running: Running, _seconds: float) -> dict[str, float]:
    """Figures by name."""
    before = running.usage().memory_bytes
    await crowd.submit_all(running, 100, 0)  # to warm up
    hold_s = ENGINE_S + 2 * STREAMS / PER_S
    heard = dict[str, list[crowd.Event]]()
    opening = asyncio.Semaphore(OPENED_AT_ONCE)
    ids, arrivals = await crowd.submit_all(running, STREAMS, hold_s, per_s=PER_S)
    following = [asyncio.create_task(crowd.follow(running, task_id, opening, heard)) for task_id in ids]
    await asyncio.sleep(hold_s / 4)
    held, memory = sum(not stream.done() for stream in following), running.usage().memory_bytes - before
    await asyncio.wait(arrivals, timeout=300 + hold_s)
    await asyncio.wait(following, timeout=60)
    delays = [event.delay_s for events in heard.values() for event in events]
    ends = [events[-1] for events in heard.values() if events and events[-1].status == running.api.done]
    late = [end.age_s - hold_s for end in ends]
    return {
        "streams_held": held,
        "streams_served": len(ends),
        "streams_memory_kb_each": memory / STREAMS / 1024,
        "streams_delay_p50_s": median(delays),
        "streams_delay_p99_s": quantiles(delays, n=100)[98],
        "streams_done_late_p50_s": median(late),
        "streams_done_late_p99_s": quantiles(late, n=100)[98],
    }
