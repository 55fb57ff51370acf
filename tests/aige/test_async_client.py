"""The client against the real API, on a line that breaks."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import httpx
import pytest

from aige.async_client import AsyncClient
from aige.errors import ClientError, NotAnAige, Refused, TaskEnded, Unreachable
from aige.requests import Place
from deployments.errors import NoPersonFound
from deployments.tasks.record import Failure, Operation
from deployments.tasks.work import AvatarJob, OverlayJob, Work
from tests.aige.line import Clock, Line, answers, loses_the_answer, problem, refuses
from tests.api.in_process import InProcess
from tests.media.provenance.files import picture, signed

PHOTO = picture(form="JPEG")
HOOK, PICTURE_URL = "https://hooks.example/aige", "https://pictures.example/1"
PLACE = Place("https://store.example/put", "https://store.example/get")


async def test_an_avatar_from_bytes_a_path_and_a_url(client: AsyncClient, backend: InProcess, tmp_path: Path) -> None:
    """What is here goes in the body; the result goes to the service's own store."""
    file = tmp_path / "photo.jpg"
    file.write_bytes(PHOTO)
    task = await client.avatar([PHOTO, file, "https://photos.example/1"], "a pilot", ratio="4:3", avatar_id="ada")
    done = await task.wait()
    assert (done.status, done.operation, done.avatar_id) == ("done", Operation.AVATAR, "ada")
    job = backend.works[0].job
    assert isinstance(job, AvatarJob)
    assert [photo.data or photo.url for photo in job.photos] == [PHOTO, PHOTO, "https://photos.example/1"]
    assert (job.prompt, job.ratio, job.read_url) == ("a pilot", "4:3", task.read_url)
    assert "/api/v1/storage/objects/" in task.read_url


async def test_one_photo_needs_no_list(client: AsyncClient, backend: InProcess) -> None:
    """Nor is its path taken for a list of letters."""
    await (await client.avatar(PHOTO, "a pilot")).wait()
    await (await client.avatar("https://photos.example/1", "a pilot")).wait()
    jobs = [work.job for work in backend.works]
    assert [len(job.photos) for job in jobs if isinstance(job, AvatarJob)] == [1, 1]


async def test_large_photos_go_through_the_store(client: AsyncClient, backend: InProcess) -> None:
    """A body has a limit; they lie at URLs that the service itself can read."""
    large = PHOTO.ljust(2_500_000, b"\0")
    await (await client.avatar([large, large], "a pilot")).wait()
    job = backend.works[0].job
    assert isinstance(job, AvatarJob)
    assert [await client.download(photo.url or "") for photo in job.photos] == [large, large]


async def test_a_background_and_an_overlay(client: AsyncClient, backend: InProcess) -> None:
    """Local pictures of an overlay go through the store; places of the caller's own are used."""
    scene = await client.background("a sea", ratio="16:9", avatar_id="ada/1?".replace("/", "-"), place=PLACE)
    assert (await scene.wait()).readUrl == scene.read_url == PLACE.read_url
    overlay = await client.compose(
        picture(), "https://p.example/b", "together", x=1, y=-2.5, scale=0.5, canvas="square"
    )
    await overlay.wait()
    job = backend.works[1].job
    assert isinstance(job, OverlayJob)
    assert (job.x, job.y, job.scale, job.canvas) == (1, -2.5, 0.5, "square")
    assert job.background.url == "https://p.example/b"
    assert await client.download(job.person.url or "") == picture()


async def test_a_task_that_fails_says_why(client: AsyncClient, backend: InProcess) -> None:
    """With the code and the whole task."""
    backend.outcome = lambda _: Failure.of(NoPersonFound("Nobody is there."))
    task = await client.background("a sea")
    with pytest.raises(TaskEnded, match=r"Nobody is there\.") as ended:
        await task.wait()
    assert (ended.value.code, ended.value.task.aige_task_id) == ("no_person_found", task.id)
    with pytest.raises(TaskEnded):
        await task.picture()


async def test_the_result_is_read_where_it_was_put(client: AsyncClient, line: Line, backend: InProcess) -> None:
    """Without the API key, which is nobody else's affair."""
    place = await client.presign()
    task = await client.background("a sea", place=place)
    async with httpx.AsyncClient(transport=line) as http:
        assert (await http.put(place.write_url, content=picture())).status_code == 200
    assert await task.picture() == picture()
    assert backend.works


@pytest.mark.parametrize(
    "trouble",
    [
        refuses,
        loses_the_answer,
        answers(404, "Path '/' not found.", content_type="text/plain"),
        answers(500, "Internal Server Error", content_type="text/plain"),
        problem(503),
        problem(429, retry_after="3"),
        answers(502, "<html>"),
    ],
)
async def test_a_submission_survives_trouble_and_starts_one_task(
    client: AsyncClient, line: Line, backend: InProcess, trouble: object
) -> None:
    """Its key is the same each time."""
    line.troubles = [trouble, trouble]  # type: ignore[list-item]
    task = await client.background("a sea", place=PLACE)
    await task.wait()
    posts = [request for request in line.asked if request.method == "PUT"]
    assert len(posts) == 3
    assert len({request.headers["Idempotency-Key"] for request in posts}) == 1
    assert len({work.task_id for work in backend.works}) == 1


async def test_a_submission_names_its_webhook(client: AsyncClient, backend: InProcess) -> None:
    """It is told of the end, and told again on demand."""
    tasks = [
        await client.avatar(PHOTO, "a pilot", place=PLACE, webhook=HOOK),
        await client.background("a sea", place=PLACE, webhook=HOOK),
        await client.compose(PICTURE_URL, PICTURE_URL, "both", x=0, y=0, scale=1, place=PLACE, webhook=HOOK),
    ]
    for task in tasks:
        await until_told(client, task.id)
    assert {(call.url, call.task.id) for call in backend.webhooks} == {(HOOK, task.id) for task in tasks}
    assert (await client.send_webhook_again(tasks[0].id)).aige_task_id == tasks[0].id
    await until_told(client, tasks[0].id)
    assert [call.task.id for call in backend.webhooks].count(tasks[0].id) == 2


async def until_told(client: AsyncClient, task_id: str) -> None:
    """Until the task's webhook has been delivered."""
    async with asyncio.timeout(10):
        while True:
            webhook = (await client.task(task_id)).webhook
            if webhook is not None and webhook.state == "delivered":
                return
            await asyncio.sleep(0)


async def test_all_tasks_come_page_by_page(client: AsyncClient, line: Line) -> None:
    """The newest first, as many as there are, with the filters on each page."""
    made = [(await client.background("a sea", place=PLACE, avatar_id=f"ada{n % 2}")).id for n in range(205)]
    assert [task.aige_task_id async for task in client.tasks()] == made[::-1]
    assert len(line.paths("GET")) == 3
    of_one = [task.aige_task_id async for task in client.tasks(avatar_id="ada1", operation=["background", "avatar"])]
    assert of_one == made[::-1][1::2]
    assert [task async for task in client.tasks(avatar_id=["nobody"])] == []
    assert [task async for task in client.tasks(status="error")] == []


async def test_an_avatar_is_erased(client: AsyncClient) -> None:
    """With its tasks; of one that is not there, the service says so."""
    task = await client.background("a sea", place=PLACE, avatar_id="ada lovelace")
    await task.wait()
    report = await client.erase("ada lovelace")
    assert (report.avatar_id, report.tasks, report.objects) == ("ada lovelace", 1, 0)
    with pytest.raises(Refused) as refused:
        await client.task(task.id)
    assert refused.value.status == 404
    with pytest.raises(Refused, match="Nothing is known of this avatar"):
        await client.erase("ada lovelace")


async def test_each_submission_has_a_key_of_its_own(client: AsyncClient, line: Line) -> None:
    """Or the caller's."""
    for key in (None, None, "mine"):
        await client.background("a sea", place=PLACE, key=key)
    keys = [request.headers["Idempotency-Key"] for request in line.asked]
    assert len(set(keys)) == 3
    assert keys[2] == "mine"


async def test_a_call_is_repeated_by_its_key(client: AsyncClient, backend: InProcess) -> None:
    """With the same arguments, it gives the same task."""
    first, again = [await client.avatar([PHOTO, PICTURE_URL], "a pilot", place=PLACE, key="mine") for _ in range(2)]
    await again.wait()
    assert {first.id, again.id} == {work.task_id for work in backend.works}


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.background("a sea", key="mine"),
        lambda client: client.avatar(PHOTO, "a pilot", key="mine"),
        lambda client: client.avatar(PHOTO.ljust(4_000_001), "a pilot", place=PLACE, key="mine"),
        lambda client: client.compose(PICTURE_URL, PHOTO, "x", x=0, y=0, scale=1, place=PLACE, key="mine"),
        lambda client: client.background("a sea", place=PLACE, key="schlüssel"),
        lambda client: client.background("a sea", place=PLACE, key="k" * 129),
    ],
)
async def test_a_key_that_could_repeat_nothing_is_refused(
    client: AsyncClient, line: Line, call: Callable[[AsyncClient], Awaitable[object]]
) -> None:
    """Each call would make another request of it: nothing is sent, no picture either."""
    with pytest.raises(ClientError, match=r"^key: (must be|needs)"):
        await call(client)
    assert line.asked == []


async def test_patience_ends(client: AsyncClient, line: Line, clock: Clock) -> None:
    """After a minute, by the clock."""
    line.troubles = [refuses] * 100
    with pytest.raises(Unreachable, match=r"Nothing answers at http://aige\.test \(connection refused\)"):
        await client.service()
    assert 50 < clock.now <= 60


async def test_a_pause_that_is_longer_than_patience_is_not_waited_for(
    client: AsyncClient, line: Line, clock: Clock
) -> None:
    """The caller hears at once what the server says."""
    line.troubles = [problem(429, retry_after="3600")]
    with pytest.raises(Refused, match=r"In words\.") as refused:
        await client.service()
    assert (refused.value.status, clock.now) == (429, 0)


async def test_refusals_are_told_in_the_server_s_words(client: AsyncClient) -> None:
    """They are not repeated."""
    with pytest.raises(Refused, match="no such task") as refused:
        await client.task("4cbbd5ea-8bd1-4a2d-9b41-b1b3bd4d2d3f")
    assert refused.value.status == 404


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"ratio": "2:1"}, "aspect_ratio: "),
        ({"avatar_id": ""}, "avatar_id: "),
        ({"avatar_id": "a/b"}, "avatar_id: must"),
        ({"avatar_id": "\udcff"}, "avatar_id: must"),
    ],
)
async def test_what_the_api_would_refuse_is_refused_here(
    client: AsyncClient, fields: dict[str, str], words: str
) -> None:
    """By the same models, before anything is sent."""
    with pytest.raises(ClientError, match=words):
        await client.background("a sea", place=PLACE, **fields)


async def test_something_else_answers(client: AsyncClient, line: Line) -> None:
    """It is no AIGE."""
    line.troubles = [answers(200, "<html>")]
    with pytest.raises(NotAnAige):
        await client.service()


async def test_each_change_is_told_once(client: AsyncClient) -> None:
    """By the event stream, to the end."""
    task = await client.background("a sea", place=PLACE)
    told = [state.status async for state in task.updates()]
    assert told[-1] == "done"
    assert len(told) == len(set(told))


@pytest.mark.parametrize("stream", [refuses, answers(404), answers(200, "data: {}\n\n"), problem(503), answers(200)])
async def test_where_the_stream_breaks_off_it_is_asked_every_second(
    client: AsyncClient, line: Line, clock: Clock, backend: InProcess, stream: object
) -> None:
    """The same changes are told."""
    backend.release.clear()
    task = await client.background("a sea", place=PLACE)
    line.troubles = [stream]  # type: ignore[list-item]
    told = []
    async for state in task.updates():
        told.append(state.status)
        if len(line.paths("GET")) > 1:
            backend.release.set()
        await asyncio.sleep(0)
    assert told[-1] == "done"
    assert set(clock.slept) <= {1.0}


async def test_cancelling(client: AsyncClient, backend: InProcess) -> None:
    """One that has ended stays as it is."""
    backend.release.clear()
    task = await client.background("a sea", place=PLACE)
    assert (await task.cancel()).aige_task_id == task.id
    with pytest.raises(TaskEnded) as ended:
        await task.wait()
    assert ended.value.code == "cancelled"
    assert (await task.cancel()).status == "error"


async def test_what_a_picture_says(client: AsyncClient, tmp_path: Path) -> None:
    """Of bytes, a file or a URL."""
    (tmp_path / "picture.png").write_bytes(signed())
    url = await client.upload(signed())
    for source in (signed(), tmp_path / "picture.png", url):
        said = await client.verify(source)
        assert (said.signed, said.valid, said.digital_source_type) == (True, True, "trainedAlgorithmicMedia")
    assert not (await client.verify(picture())).signed


async def test_what_the_server_is(client: AsyncClient) -> None:
    """As `GET /service` says."""
    assert (await client.service()).engine == "local"


async def test_the_store_s_refusal_is_an_error(client: AsyncClient, line: Line) -> None:
    """Up and down."""
    with pytest.raises(ClientError, match="could not be loaded \\(status 403\\)"):
        await client.download(f"{client.url}/api/v1/storage/objects/{'0' * 32}")
    presigned = len(line.asked)
    assert presigned


async def test_an_empty_photo_does_not_send_its_path(client: AsyncClient, line: Line, tmp_path: Path) -> None:
    """The service says what is wrong with it."""
    (tmp_path / "photo.jpg").touch()
    for empty in (tmp_path / "photo.jpg", b""):
        with pytest.raises(Refused, match="The photo is empty"):
            await client.avatar(empty, "a pilot", place=PLACE)
        assert b'"source_images":[""]' in line.asked[-1].content


@pytest.mark.parametrize("status", [403, 404])
async def test_another_server_s_refusal_is_not_repeated(client: AsyncClient, line: Line, status: int) -> None:
    """Its 404 does not mean that AIGE is not deployed yet."""
    line.troubles = [answers(status, "<Error>NoSuchKey</Error>")]
    with pytest.raises(ClientError, match=f"could not be loaded \\(status {status}\\)"):
        await client.download(PICTURE_URL)
    assert len(line.asked) == 1


async def test_aige_s_own_store_may_not_be_deployed_yet(client: AsyncClient, line: Line) -> None:
    """Its plain 404 passes, as that of the API."""
    url = await client.upload(picture())
    line.troubles = [answers(404, "Path '/' not found.")]
    assert await client.download(url) == picture()


async def test_another_server_that_is_away_is_named(client: AsyncClient, line: Line) -> None:
    """Without what signs its URL; nobody is told to start AIGE there."""
    line.troubles = [refuses] * 100
    with pytest.raises(Unreachable) as away:
        await client.download("https://store.example/1?signature=secret")
    assert str(away.value) == "Nothing answers at https://store.example (connection refused)."


@pytest.fixture
async def proxy() -> AsyncIterator[str]:
    """The URL of a server that answers each request with its first line."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = (await reader.readuntil(b"\r\n\r\n")).splitlines()[0]
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(asked) + asked)
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_only_other_machines_are_asked_by_proxy(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever AIGE is: the host of each URL decides."""
    monkeypatch.setenv("http_proxy", proxy)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for aige in ("http://127.0.0.1:8000", "http://aige.example"):
        async with AsyncClient(aige) as client:
            assert await client.download("http://far.example/1") == b"GET http://far.example/1 HTTP/1.1"
            assert await client.download(f"{proxy}/1") == b"GET /1 HTTP/1.1"


async def test_the_key_is_sent_to_the_api_alone(line: Line, clock: Clock) -> None:
    """Never to a store."""
    async with AsyncClient("http://aige.test", "secret-key", transport=line, sleep=clock.sleep, clock=clock) as client:
        await client.upload(picture())
    presign, put = line.asked
    assert presign.headers["Authorization"] == "Bearer secret-key"
    assert "Authorization" not in put.headers


def test_works_are_the_backend_s(backend: InProcess) -> None:
    """Nothing has been submitted before a test does."""
    assert backend.works == list[Work]()
