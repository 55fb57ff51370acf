"""A careful client of a cluster: it submits at a steady rate, repeats what was not answered, and watches every task.

    python -m tests.cluster.client RATE PROVIDER_URL

It takes orders on stdin, one a line: `ask URL URL …` names the nodes to ask, from now on; `stop` submits no more. Once
all tasks have ended it prints what it saw, a `Report`, as JSON. It stands for a load balancer, too: a node that has not
answered is left out for a moment.
"""

import asyncio
import json
import random
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from itertools import count, cycle

import httpx

ORDER = (
    "pending",
    "processing_avatar_model",
    "processing_background_removal",
    "processing_overlay",
    "uploading_image",
    "done",
    "error",
)
FINAL = ("done", "error")
ANSWERS_WITHIN_S = 8
"""Longer than an Ingress waits for TaskStatus before it answers 503."""
ASIDE_S = 2
"""A node that did not answer is not asked again for so long."""
ENDS_WITHIN_S = 240
TRIES_AGAIN = {404, 500, 502, 503, 504}
"""Of a cluster that is not whole; a 404 where it is no problem document."""


@dataclass
class Report:
    """Times are in seconds since 1970."""

    accepted: dict[str, str] = field(default_factory=dict)
    """Task ids, by name."""
    ended: dict[str, dict[str, object]] = field(default_factory=dict)
    """The last state of each task that ended."""
    waits: list[tuple[float, float]] = field(default_factory=list)
    """When each submission was first sent, and how many seconds it took until it was accepted."""
    ends: list[float] = field(default_factory=list)
    """When an end was seen."""
    back: list[str] = field(default_factory=list)
    """Statuses that came after later ones."""
    missing: list[str] = field(default_factory=list)
    """Results that are not in S3, though their tasks are done."""
    troubles: dict[str, int] = field(default_factory=dict)
    """What was answered, or raised, instead of a success, and how often."""
    books: dict[str, dict[str, int]] = field(default_factory=dict)
    """The provider's."""


class Client:
    """Lives on one event loop."""

    def __init__(self, http: httpx.AsyncClient, provider: str) -> None:
        self.report = Report()
        self.nodes: list[str] = []
        self.stopped = False
        self._http = http
        self._provider = provider
        self._aside: dict[str, float] = {}
        self._troubles = Counter[str]()

    async def run(self, rate: float) -> None:
        """Submits until it is stopped, and returns when all tasks have ended."""
        kinds, tasks = cycle(("avatar", "background", "overlay")), list[asyncio.Task[None]]()
        run = random.randrange(10**6)
        for number in count():
            if self.stopped:
                break
            if self.nodes:
                tasks.append(asyncio.create_task(self._life(f"{next(kinds)}-{run}-{number}")))
            await asyncio.sleep(1 / rate)
        await asyncio.gather(*tasks)
        self.report.troubles = dict(self._troubles)
        self.report.books = (await self._http.get(f"{self._provider}/books")).json()

    async def _life(self, name: str) -> None:
        started = time.time()
        places = await self._places(name)
        task_id = await self._submit(name, places)
        self.report.waits.append((started, time.time() - started))
        self.report.accepted[name] = task_id
        await self._watch(name, task_id)
        if name.startswith("overlay") and self.report.ended.get(name, {}).get("status") == "done":
            stored = await self._http.get(places["readUrl"])
            if stored.status_code != 200 or not stored.content.startswith(b"\x89PNG"):
                self.report.missing.append(f"{name}: {stored.status_code}")

    async def _places(self, name: str) -> dict[str, str]:
        """Where the result goes: of an overlay, to S3; else, to the provider, whose books name it."""
        if not name.startswith("overlay"):
            return {"writeUrl": f"{self._provider}/uploads/{name}", "readUrl": f"{self._provider}/uploads/{name}"}
        answer = await self._until_answered("POST", "/storage/presign", {})
        return {place: str(answer[place]) for place in ("writeUrl", "readUrl")}

    async def _submit(self, name: str, places: dict[str, str]) -> str:
        person, scene = (f"{self._provider}/pictures/{kind}" for kind in ("person", "scene"))
        body: dict[str, object] = {"prompt": name, "avatar_id": "a", **places}
        kind = name.partition("-")[0]
        if kind == "avatar":
            body["source_images"] = [person]
        if kind == "overlay":
            body["params"] = {"person": person, "background": scene, "position": {"x": 0, "y": 0, "scale": 1}}
        method, path = ("POST", "/avatar") if kind == "avatar" else ("PUT", f"/avatar/a/{kind}")
        return str((await self._until_answered(method, path, body, name))["aige_task_id"])

    async def _watch(self, name: str, task_id: str) -> None:
        """Asks any node, again and again."""
        seen, give_up = 0, time.time() + ENDS_WITHIN_S
        while time.time() < give_up:
            task = await self._answered("GET", f"/task/{task_id}")
            if task is not None:
                now = ORDER.index(str(task["status"]))
                if now < seen:
                    self.report.back.append(f"{name}: {ORDER[seen]}, then {ORDER[now]}")
                seen = max(seen, now)
                if task["status"] in FINAL:
                    self.report.ended[name] = task
                    self.report.ends.append(time.time())
                    return
            await asyncio.sleep(0.4)

    async def _until_answered(self, method: str, path: str, body: object, key: str = "") -> dict[str, object]:
        while True:
            if (answer := await self._answered(method, path, body, key)) is not None:
                return answer
            await asyncio.sleep(0.2)

    async def _answered(self, method: str, path: str, body: object = None, key: str = "") -> dict[str, object] | None:
        """The body of a success; None where it may be asked again."""
        node = self._node()
        headers = {"Idempotency-Key": key} if key else {}
        try:
            answer = await self._http.request(method, node + path, json=body, headers=headers)
        except httpx.TransportError as error:
            self._troubles[f"{method} {type(error).__name__}"] += 1
            self._aside[node] = time.time() + ASIDE_S
            return None
        if answer.is_success:
            result: dict[str, object] = answer.json()
            return result
        detail = f": {answer.text[:200]}" if answer.status_code == 500 else ""  # a fault of ours, or of Ray's
        self._troubles[f"{method} {answer.status_code}{detail}"] += 1
        is_problem = answer.headers.get("content-type") == "application/problem+json"
        assert answer.status_code in TRIES_AGAIN, answer.text
        assert answer.status_code != 404 or not is_problem, f"{path}: {answer.text}"
        return None

    def _node(self) -> str:
        now = time.time()
        return random.choice([node for node in self.nodes if self._aside.get(node, 0) < now] or self.nodes)


async def take_orders(client: Client) -> None:
    """From stdin, until it ends."""
    while words := (await asyncio.to_thread(sys.stdin.readline)).split():
        if words[0] == "stop":
            client.stopped = True
            return
        client.nodes = words[1:]


async def main(rate: float, provider: str) -> None:
    limits = httpx.Limits(max_keepalive_connections=0)  # each request is balanced anew
    async with httpx.AsyncClient(limits=limits, timeout=ANSWERS_WITHIN_S, trust_env=False) as http:
        client = Client(http, provider)
        ordering = asyncio.create_task(take_orders(client))
        await client.run(rate)
        await ordering
        print(json.dumps(asdict(client.report)), flush=True)


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1]), sys.argv[2]))
