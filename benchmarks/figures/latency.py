"""What a system adds to one task on an idle machine: from the request to the upload, and until `done` can be read.

The engine takes no time, so nothing has to be subtracted.
"""

import time
from statistics import median, quantiles

from benchmarks.system import Running, connected

WARM_UP = 20


async def measure(running: Running, seconds: float) -> dict[str, float]:
    """Figures by name, in milliseconds."""
    uploaded, done = list[float](), list[float]()
    async with connected(running) as connection:
        stop = time.monotonic() + seconds
        while time.monotonic() < stop or len(done) < WARM_UP + 10:
            upload = running.name_upload()
            arrival = running.sink.arrival(upload)
            began = time.monotonic()
            task_id = await running.submit(connection, upload)
            uploaded.append(await arrival - began)
            await running.until_done(connection, task_id, every_s=0)
            done.append(time.monotonic() - began)
    return {
        "latency_to_upload_p50_ms": median(uploaded[WARM_UP:]) * 1e3,
        "latency_p50_ms": median(done[WARM_UP:]) * 1e3,
        "latency_p99_ms": quantiles(done[WARM_UP:], n=100)[98] * 1e3,
    }
