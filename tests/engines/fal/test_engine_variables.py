"""fal-client's own variables lead the engine elsewhere, as they lead fal-client."""

import asyncio
import os
import sys
from pathlib import Path

from tests.fal_emulator.emulator import FalEmulator
from tests.fal_emulator.http import serving
from tests.fal_emulator.network import certificates, environment_for

# They are read when fal-client is imported, so this needs a process of its own.
PROGRAM = """
import asyncio
from deployments.engines.loading import chosen_engines
from deployments.media.images import PictureLimits
from deployments.media.open_media import open_egress
from deployments.media.sizes import AspectRatio
from deployments.settings import Environment, Settings
from deployments.engines.memory_call import MemoryCall

async def main():
    egress = open_egress(Settings(), Environment())
    engine = chosen_engines(Settings(), Environment()).made("fal", egress, PictureLimits())
    made = await engine.background("hills", AspectRatio.SQUARE, MemoryCall())
    print(made.picture.url, len(await made.picture.read(egress, 10**6)))

asyncio.run(main())
"""


async def test_its_variables(fal: FalEmulator, tmp_path: Path) -> None:
    """`FAL_QUEUE_RUN_HOST` and `SSL_CERT_FILE` work, and results come from hosts that `AIGE_ALLOW_HOSTS` names."""
    authority, tls = certificates(("localhost",), tmp_path)
    async with serving(fal.handle, tls) as port:
        host = f"localhost:{port}"
        fal.files_url = f"https://{host}/files"
        environment = os.environ | environment_for(host, authority) | {"AIGE_DATA_DIR": str(tmp_path)}
        program = await asyncio.create_subprocess_exec(
            sys.executable, "-c", PROGRAM, env=environment, stdout=asyncio.subprocess.PIPE
        )
        output, _ = await program.communicate()
    assert output.decode().startswith(fal.files_url)
    assert (program.returncode, fal.posts) == (0, 1)
