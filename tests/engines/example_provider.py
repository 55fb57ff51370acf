"""The provider that `ExampleEngine` drives: an httpx transport that answers its requests, and its pictures."""

import base64
import io
import json
from typing import NamedTuple

import httpx
from PIL import Image

from deployments.media.egress import Egress
from deployments.media.sizes import Size

PICTURES = "https://pictures.example/"


class Job(NamedTuple):
    model: str
    size: Size


class ExampleProvider:
    """See `deployments.engines.conformance.Provider`."""

    def __init__(self) -> None:
        self.busy = False
        self.jobs: list[Job] = []
        self.cancelled: set[str] = set()
        self.transport = httpx.MockTransport(self._answer)

    def submits(self) -> int:
        return len(self.jobs)

    def is_cancelled(self, receipt: str) -> bool:
        return receipt in self.cancelled

    def picture(self, number: int) -> bytes:
        """What job `number` has made."""
        model, size = self.jobs[number]
        image = Image.new("RGB", size, "teal")
        if model == "cut-out":
            image.putalpha(Image.linear_gradient("L").resize(size))
        return _png(image)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        assert request.headers["authorization"] == "Bearer a-key"
        name = request.url.path.rpartition("/")[2]
        if request.method == "POST":
            body = json.loads(request.content)
            width, height = body.get("size") or _size_of(body["pictures"][0])
            self.jobs.append(Job(name, (width, height)))
            return httpx.Response(202, json={"id": str(len(self.jobs) - 1), "state": "queued"})
        if request.method == "DELETE":
            self.cancelled.add(name)
            return httpx.Response(204)
        if self.busy:
            return httpx.Response(200, json={"id": name, "state": "running"})
        return httpx.Response(200, json={"id": name, "state": "done", "picture": f"{PICTURES}{name}", "units": 1})


class Pictures(Egress):
    """Opens the provider's pictures, and nothing else."""

    def __init__(self, provider: ExampleProvider) -> None:
        super().__init__()
        self._provider = provider

    async def fetch(self, url: str, max_bytes: int) -> bytes:
        assert url.startswith(PICTURES)
        return self._provider.picture(int(url.removeprefix(PICTURES)))


def _size_of(data_uri: str) -> Size:
    return Image.open(io.BytesIO(base64.b64decode(data_uri.partition(",")[2]))).size


def _png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()
