"""The client for plain code: the other one, run in a thread."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from aige.client import Client, ClientError, TaskEnded
from aige.requests import Place
from deployments.errors import NoPersonFound
from deployments.tasks.record import Failure
from tests.aige.line import Line
from tests.api.in_process import BASE, InProcess
from tests.media.provenance.files import picture, signed

PLACE = Place("https://store.example/put", "https://store.example/get")


@pytest.fixture
def client(line: Line) -> Iterator[Client]:
    with Client(BASE, transport=line) as client:
        yield client


def test_it_does_what_the_other_one_does(client: Client, backend: InProcess) -> None:
    """Every method."""
    assert client.service().engine == "local"
    place = client.presign()
    avatar = client.avatar(picture(), "a pilot", ratio="4:3", place=place)
    background = client.background("a sea", ratio="16:9", place=PLACE)
    overlay = client.compose(client.upload(picture()), client.upload(picture()), "together", x=1, y=2, scale=0.5)
    assert [task.wait().operation for task in (avatar, background, overlay)] == ["avatar", "background", "overlay"]
    assert client.task(avatar.id).status == "done"
    assert client.cancel(avatar.id).status == avatar.cancel().status == "done"
    assert client.verify(signed()).valid
    assert [task.aige_task_id for task in client.tasks(status=["done"])] == [overlay.id, background.id, avatar.id]
    assert [task.aige_task_id for task in client.tasks(operation="avatar")] == [avatar.id]
    assert client.erase("avatar").tasks == 3
    assert [work.job.prompt for work in backend.works] == ["a pilot", "a sea", "together"]


def test_updates_come_one_by_one_and_may_be_left(client: Client) -> None:
    """A loop may stop early."""
    task = client.background("a sea", place=PLACE)
    for state in task.updates():
        assert state.aige_task_id == task.id
        break
    assert [state.status for state in task.updates()][-1] == "done"


def test_the_result(client: Client) -> None:
    """Once the task is done, what lies at its place."""
    url = client.upload(picture())
    assert client.background("a sea", place=Place("https://store.example/put", url)).picture() == picture()


def test_errors_are_the_same(client: Client, backend: InProcess) -> None:
    """Raised where it was called."""
    backend.outcome = lambda _: Failure.of(NoPersonFound("Nobody is there."))
    told: list[str] = []
    with pytest.raises(TaskEnded, match="Nobody"):
        client.background("a sea", place=PLACE).wait(lambda task: told.append(task.status))
    assert told[-1] == "error"
    with pytest.raises(ClientError, match="prompt: must say something: it is only white space"):
        client.background("", place=PLACE)
    with pytest.raises(ClientError, match="is no address"):
        Client("nowhere")


def test_many_threads_may_use_it(client: Client) -> None:
    """At once."""
    with ThreadPoolExecutor(8) as threads:
        tasks = list(threads.map(lambda number: client.background(f"sea {number}", place=PLACE).wait(), range(8)))
    assert [task.status for task in tasks] == ["done"] * 8


async def test_it_works_where_an_event_loop_runs(line: Line) -> None:
    """As in a notebook; the loop waits meanwhile."""
    assert asyncio.get_running_loop()
    with Client(BASE, transport=line) as client:
        assert client.service().version


def test_closing_ends_its_thread(line: Line) -> None:
    """Nothing is left behind."""
    before = threading.active_count()
    with Client(BASE, transport=line) as client:
        client.service()
    assert threading.active_count() <= before + 1  # asyncio's own pool may keep a worker a moment longer
