"""The emulator as a process of its own: `python -m tests.fal_emulator FOLDER [--port N] [--queue-s S] [--run-s S]`.

Its first line on standard output is JSON: the environment with which a service talks to it. It has fal's queue and
files, but no storage: fal-client has no variable for that. `GET /emulator/requests` tells what it was asked.
"""

import argparse
import asyncio
import json
from pathlib import Path

from tests.fal_emulator.emulator import FalEmulator
from tests.fal_emulator.http import serving
from tests.fal_emulator.network import certificates, environment_for


async def serve(folder: Path, port: int, queue_s: float, run_s: float) -> None:
    authority, tls = certificates(("localhost",), folder)
    fal = FalEmulator(queue_s=queue_s, run_s=run_s)
    async with serving(fal.handle, tls, port) as bound:
        host = f"localhost:{bound}"
        fal.files_url = f"https://{host}/files"
        print(json.dumps(environment_for(host, authority)), flush=True)  # noqa: T201 - its output
        await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--queue-s", type=float, default=0)
    parser.add_argument("--run-s", type=float, default=0)
    given = parser.parse_args()
    asyncio.run(serve(given.folder, given.port, given.queue_s, given.run_s))
