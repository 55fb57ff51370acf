"""Writes `frontend/openapi.json` as the service serves it: the studio's types are generated from it.

With `--check` it writes nothing, and exits with 1 where the file says something else.
"""

import asyncio
import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

import httpx

from deployments.api.answers import EnginesResponse
from deployments.api.app import Parts, ServiceEngines, build_api
from deployments.api.backend import Backend
from deployments.media.storage import BuiltinStore
from deployments.settings import Settings

ENGINES = ServiceEngines(
    EnginesResponse(portrait=["local"], background=["local"], cut_out=["local"], blend=[]), generative=False
)
TARGET = Path(__file__).resolve().parent.parent / "frontend" / "openapi.json"


async def document(directory: Path) -> str:
    """The OpenAPI document of the application with its default settings; `directory` is for a store."""
    store = BuiltinStore(directory, b"unused", max_bytes=0)
    nobody = cast(Backend, None)  # no task is ever sent
    app = build_api(Parts(settings=Settings(), backend=nobody, store=store, engines=ENGINES))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://aige") as client:
        response = await client.get("/openapi.json")
    return json.dumps(response.raise_for_status().json(), indent=2, ensure_ascii=False) + "\n"


def main() -> int:
    with TemporaryDirectory() as directory:
        wanted = asyncio.run(document(Path(directory)))
    if "--check" not in sys.argv:
        TARGET.write_text(wanted, encoding="utf-8")
    elif TARGET.read_text(encoding="utf-8") != wanted:
        print("frontend/openapi.json has drifted: run `python -m scripts.export_openapi`.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
