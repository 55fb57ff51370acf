"""The emulator as a process of its own: `python -m tests.openai_emulator [--port N] [--run-s S] [--lax]`.

Its first line on standard output is its `base_url`. `GET /emulator/calls` tells what it was asked, and charged for.
"""

import argparse
import asyncio

from tests.fal_emulator.http import serving
from tests.openai_emulator.emulator import OpenAIEmulator


async def serve(port: int, run_s: float, *, strict: bool) -> None:
    async with serving(OpenAIEmulator(strict=strict, run_s=run_s).handle, None, port) as bound:
        print(f"http://127.0.0.1:{bound}/v1", flush=True)  # noqa: T201 - its output
        await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--run-s", type=float, default=0)
    parser.add_argument("--lax", action="store_true")
    given = parser.parse_args()
    asyncio.run(serve(given.port, given.run_s, strict=not given.lax))
