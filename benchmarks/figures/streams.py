"""Event streams: thousands held open at once, and the delay from a change of a task to the client that hears of it."""

import asyncio
from statistics import median, quantiles

from benchmarks.figures import crowd
from benchmarks.system import Running

STREAMS = 5_000
OPENED_AT_ONCE = 50
ENGINE_S = 20


async def measure(running: Running, _seconds: float) -> dict[str, float]:
    """Figures by name."""
    before = running.usage().memory_bytes
    ids, _ = await crowd.submit_all(running, 100, 0)  # to see how fast it is, and to warm up
    loop = asyncio.get_running_loop()
    began = loop.time()
    await crowd.submit_all(running, 100, 0)
    hold_s = ENGINE_S + 2 * STREAMS * (loop.time() - began) / 100
    heard = dict[str, list[crowd.Event]]()
    opening = asyncio.Semaphore(OPENED_AT_ONCE)
    ids, arrivals = await crowd.submit_all(running, STREAMS, hold_s)
    following = [asyncio.create_task(crowd.follow(running, task_id, opening, heard)) for task_id in ids]
    await asyncio.sleep(hold_s / 4)
    held, memory = sum(not stream.done() for stream in following), running.usage().memory_bytes - before
    await asyncio.wait(arrivals, timeout=300 + hold_s)
    await asyncio.wait(following, timeout=60)
    delays = [event.delay_s for events in heard.values() for event in events]
    served = sum(bool(events) and events[-1].status == running.api.done for events in heard.values())
    return {
        "streams_held": held,
        "streams_served": served,
        "streams_memory_kb_each": memory / STREAMS / 1024,
        "streams_delay_p50_s": median(delays),
        "streams_delay_p99_s": quantiles(delays, n=100)[98],
    }
