"""Pictures: overlay and cut-out against Pillow, OpenCV and libvips, in the peers' virtual environment."""

import asyncio
import json
import os

from benchmarks.systems import PEERS_BIN
from benchmarks.wrk import ROOT


async def measure(seconds: float) -> dict[str, dict[str, float]]:
    """Figures by name, then by system: milliseconds of CPU.

    Raises:
        RuntimeError: it does not run, for lack of libvips perhaps.
    """
    process = await asyncio.create_subprocess_exec(
        PEERS_BIN / "python", "-m", "benchmarks.pictures", str(seconds),
        cwd=ROOT, env={**os.environ, "VIPS_CONCURRENCY": "1"}, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    said, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError("the pictures could not be measured; is libvips missing? apt-get install libvips42")
    figures: dict[str, dict[str, float]] = json.loads(said)
    return figures
