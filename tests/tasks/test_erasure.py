"""Erasure: what goes, what stays, and what happens where it is interrupted."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from deployments.errors import ErrorCode, NotFound, Unavailable
from deployments.settings import Settings
from deployments.tasks.entry import Binding
from deployments.tasks.erasure import Elsewhere, ErasedElsewhere
from deployments.tasks.followers import Changing, Gone, News
from deployments.tasks.journal import MemoryJournal
from deployments.tasks.messages import ClaimSubmit, GetTask, RecordReceipt
from deployments.tasks.operations import StepId
from deployments.tasks.orchestrator import Orchestrator
from deployments.tasks.record import Status, Task
from deployments.tasks.task_index import Wanted
from deployments.tasks.traces import SentRequest, Traces
from deployments.tasks.webhook import Webhook
from deployments.tasks.work import Outcome, StepRequest
from tests.tasks.deliveries import URL, Receivers
from tests.tasks.entries import all_entries
from tests.tasks.in_process import FakeStages, changed, end_of, no_sleep, task_and_work, turns


class World:
    """An orchestrator; steps wait for `release`. `elsewhere` keeps what was to be erased there, as `answer` says."""

    def __init__(self, journal: MemoryJournal | None = None, **settings: object) -> None:
        self.journal = journal or MemoryJournal()
        self.receivers = Receivers()
        self.elsewhere: list[Elsewhere] = []
        self.answer: Callable[[Elsewhere], ErasedElsewhere] = lambda what: ErasedElsewhere(
            len(what.objects), frozenset(what.requests)
        )
        self.release = asyncio.Event()
        self.release.set()
        self.began: list[StepRequest] = []
        stages = FakeStages(self._step)
        self.orchestrator = stages.orchestrator = Orchestrator(
            Settings.model_validate(settings),
            self.journal,
            stages.send,
            deliver=self.receivers.take,
            erase_elsewhere=self._erase,
            sleep=no_sleep,
        )

    async def _step(self, request: StepRequest) -> Outcome:
        self.began.append(request)
        await self.release.wait()
        return request.work

    async def _erase(self, what: Elsewhere) -> ErasedElsewhere:
        self.elsewhere.append(what)
        return self.answer(what)

    async def submit(
        self,
        task_id: str,
        avatar_id: str = "a",
        *,
        caller: str = "default",
        read_url: str = "",
        traces: Traces = Traces(),  # noqa: B008 - frozen
        webhook: bool = False,
        binding: Binding | None = None,
    ) -> None:
        task, work = task_and_work(task_id)
        task = replace(
            task, avatar_id=avatar_id, caller=caller, read_url=read_url or f"https://store.example/{task_id}.png?sig=1"
        )
        work = replace(work, traces=traces)
        if webhook:
            task, work = replace(task, webhook=Webhook()), replace(work, webhook_url=URL)
        await self.orchestrator.submit(task, work, binding)

    async def ended(self, task_id: str, avatar_id: str = "a", **facts: object) -> None:
        await self.submit(task_id, avatar_id, **facts)  # type: ignore[arg-type]  # facts by their names
        await end_of(self.orchestrator, task_id)

    async def known(self) -> list[str]:
        """The ids of the tasks in memory and in the journal, which must be the same."""
        in_journal = sorted(entry.task.id for entry in await all_entries(self.journal))
        assert sorted(task.id for task in self.orchestrator.index.all()) == in_journal
        return in_journal


async def test_ended_tasks_and_their_keys_are_removed() -> None:
    """Of that avatar alone; the key can be used again, and gives a new task."""
    world = World()
    binding = Binding("key", "request")
    await world.ended("1", binding=binding)
    await world.ended("2")
    await world.ended("other", "b")
    report = await world.orchestrator.erasure.erase("default", "a")
    assert (report.tasks, report.objects, report.requests) == (2, 0, ())
    assert await world.known() == ["other"]
    assert world.orchestrator.tasks.get("1") is None
    assert await world.orchestrator.bound(binding) is None


@pytest.mark.parametrize(("caller", "avatar_id"), [("default", "nobody"), ("other", "a")])
async def test_where_nothing_is_known_there_is_nothing_to_erase(caller: str, avatar_id: str) -> None:
    """Another caller's avatar is nobody's business."""
    world = World()
    await world.ended("1")
    with pytest.raises(NotFound, match="Nothing is known of this avatar"):
        await world.orchestrator.erasure.erase(caller, avatar_id)
    assert world.elsewhere == []
    assert await world.known() == ["1"]


async def test_another_callers_avatar_of_the_same_name_stays() -> None:
    """Names are everybody's own."""
    world = World()
    await world.ended("ours")
    await world.ended("theirs", caller="other")
    await world.orchestrator.erasure.erase("default", "a")
    assert await world.known() == ["theirs"]


async def test_running_tasks_are_cancelled() -> None:
    """Their steps are called off; those who follow them see the end, and then that they are gone."""
    world = World()
    world.release.clear()
    await world.submit("t")
    await turns()
    watching = asyncio.create_task(_states(world.orchestrator, "t"))
    told = await world.orchestrator.followers.told("m", None)
    await GetTask("t", "m").handle(world.orchestrator)
    erasing = asyncio.create_task(world.orchestrator.erasure.erase("default", "a"))
    news = list[News]()
    while Gone("t") not in news:
        told = await world.orchestrator.followers.told("m", told.number)
        news += told.news
    assert (await erasing).tasks == 1
    assert (await watching)[-1] in {Status.ERROR, None}
    called_off = await world.orchestrator.called_off.since(None, 0)
    assert [item.id for item in called_off.items] == ["t"]
    assert [one.status for one in news if isinstance(one, Task)][-1] is Status.ERROR
    assert news[-2:] == [Changing("t"), Gone("t")]
    assert await world.known() == []


async def _states(a: Orchestrator, task_id: str) -> list[Status | None]:
    seen = a.tasks.get(task_id)
    states: list[Status | None] = []
    while seen is not None and not seen.is_ended:
        seen = await changed(a.tasks, seen)
        states.append(seen.status if seen else None)
    return states


async def test_nothing_of_an_erased_run_comes_back() -> None:
    """What its stage still says is dropped."""
    world = World()
    world.release.clear()
    await world.submit("t")
    await turns()
    (request,) = world.began
    await world.orchestrator.erasure.erase("default", "a")
    world.release.set()
    await turns()
    await RecordReceipt("t", request.step, "fal", "token", "fal:late").handle(world.orchestrator)
    assert await world.known() == []


class TestWebhooks:
    async def test_those_that_wait_end(self) -> None:
        """However many tries were to come; also while the rest of the erasure takes its time."""
        world = World()
        await world.orchestrator.recover()
        world.receivers.answer = lambda _: 500
        await world.ended("t", webhook=True)
        await turns()
        assert len(world.orchestrator.webhooks) == 1
        await world.orchestrator.erasure.erase("default", "a")
        assert len(world.orchestrator.webhooks) == 0

    async def test_a_task_that_is_cancelled_by_it_sends_none(self) -> None:
        """Nor after a crash in the middle: its end was written without one."""
        world = World()
        await world.orchestrator.recover()
        world.release.clear()
        world.answer = _fails
        await world.submit("t", webhook=True)
        await turns()
        with pytest.raises(Unavailable, match="Nobody is there"):
            await world.orchestrator.erasure.erase("default", "a")
        again = World(world.journal)
        await again.orchestrator.recover()
        await turns()
        assert world.receivers.calls == again.receivers.calls == []


def _fails(_: Elsewhere) -> ErasedElsewhere:
    raise Unavailable("Nobody is there.", 5)


async def test_where_it_is_interrupted_it_can_be_asked_for_again() -> None:
    """The tasks are still known, running ones cancelled; then all of it goes."""
    world = World()
    world.release.clear()
    await world.submit("t", traces=Traces(objects=("key",)))
    world.answer = _fails
    with pytest.raises(Unavailable, match="Nobody is there"):
        await world.orchestrator.erasure.erase("default", "a")
    task = world.orchestrator.tasks.get("t")
    assert task is not None
    assert task.failure is not None
    assert task.failure.code is ErrorCode.CANCELLED
    world.answer = lambda what: ErasedElsewhere(len(what.objects), frozenset())
    report = await world.orchestrator.erasure.erase("default", "a")
    assert (report.tasks, report.objects) == (1, 1)
    assert [what.objects for what in world.elsewhere] == [("key",), ("key",)]


class TestElsewhere:
    async def test_objects_and_requests_are_erased_once_each(self) -> None:
        """Of all tasks, also after a restart: the journal knows them."""
        world = World()
        await world.ended("1", traces=Traces(objects=("photo", "result 1")))
        await world.ended("2", traces=Traces(objects=("photo", "result 2")))
        again = World(world.journal)
        await again.orchestrator.recover()
        report = await again.orchestrator.erase("default", "a")
        (what,) = again.elsewhere
        assert sorted(what.objects) == ["photo", "result 1", "result 2"]
        assert report.objects == 3

    async def test_each_request_is_told_with_its_fate(self) -> None:
        """Receipts outlive their steps, which drop them when they are done, and the task's end."""
        world = World()
        world.release.clear()
        await world.submit("t")
        await turns()
        for step, engine in ((StepId.GENERATE_BACKGROUND, "fal"), (StepId.UPLOAD, "mine:E")):
            await ClaimSubmit("t", 1, step, engine, "token").handle(world.orchestrator)
            await RecordReceipt("t", step, engine, "token", f"{engine}:{step}").handle(world.orchestrator)
        world.release.set()
        await end_of(world.orchestrator)
        first, second = SentRequest("fal", "fal:generate_background"), SentRequest("mine:E", "mine:E:upload")
        world.answer = lambda _: ErasedElsewhere(0, frozenset({first}))
        report = await world.orchestrator.erasure.erase("default", "a")
        assert report.requests == ((first, True), (second, False))
        assert world.elsewhere == [Elsewhere((), (first, second))]

    async def test_a_receipt_that_is_on_its_way_is_waited_for(self) -> None:
        """Else nobody could ask the provider to delete the request."""
        world = World()
        world.release.clear()
        await world.submit("t")
        await turns()
        await ClaimSubmit("t", 1, StepId.GENERATE_BACKGROUND, "fal", "token").handle(world.orchestrator)
        erasing = asyncio.create_task(world.orchestrator.erasure.erase("default", "a"))
        await turns()
        assert not erasing.done()
        receipt = RecordReceipt("t", StepId.GENERATE_BACKGROUND, "fal", "token", "fal:1")
        await receipt.handle(world.orchestrator)
        assert (await erasing).requests == ((SentRequest("fal", "fal:1"), True),)

    async def test_one_that_never_comes_is_not_waited_for_long(self) -> None:
        """As long as for any submit of unknown outcome."""
        world = World(deadlines={"unknown_submit_s": 0})
        world.release.clear()
        await world.submit("t")
        await turns()
        await ClaimSubmit("t", 1, StepId.GENERATE_BACKGROUND, "fal", "token").handle(world.orchestrator)
        assert (await world.orchestrator.erasure.erase("default", "a")).requests == ()


class TestSources:
    async def test_the_tasks_that_are_named_as_sources_go_too(self) -> None:
        """By the place of their result, whoever signed the URL; and theirs in turn, of whatever avatar."""
        world = World()
        await world.ended("photo's", "p", traces=Traces(objects=("p",)))
        await world.ended("person", "b", traces=Traces(sources=("store.example/photo's.png",)))
        await world.ended("scene", "c", traces=Traces(objects=("s",)))
        await world.ended("unrelated", "c")
        await world.ended(
            "overlay",
            "a",
            traces=Traces(sources=("store.example/person.png", "store.example/scene.png", "elsewhere/x")),
        )
        report = await world.orchestrator.erasure.erase("default", "a")
        assert report.tasks == 4
        assert await world.known() == ["unrelated"]
        assert sorted(world.elsewhere[0].objects) == ["p", "s"]

    async def test_another_callers_task_stays_and_so_does_its_result(self) -> None:
        """Whoever has its URL may use it, and not erase it."""
        world = World()
        key = "0123456789abcdef" * 2
        theirs = f"https://aige.example/api/v1/storage/objects/{key}?expires=1"
        await world.ended("theirs", caller="other", read_url=theirs, traces=Traces(objects=(key,)))
        await world.ended("ours", traces=Traces(objects=(key, "own"), sources=(key,)))
        report = await world.orchestrator.erasure.erase("default", "a")
        assert report.tasks == 1
        assert world.elsewhere[0].objects == ("own",)
        assert await world.known() == ["theirs"]


async def test_many_tasks_are_looked_through_in_turns() -> None:
    """Others are served meanwhile."""
    world = World()
    for number in range(3_000):
        world.orchestrator.index.put(replace(task_and_work(str(number))[0], avatar_id="b"))
    await world.ended("t")
    served = 0

    async def serve() -> None:
        nonlocal served
        while True:
            served += 1
            await asyncio.sleep(0)

    serving = asyncio.create_task(serve())
    await world.orchestrator.erasure.erase("default", "a")
    serving.cancel()
    assert served >= 3
    assert world.orchestrator.index.page(Wanted("default", avatar_ids=frozenset({"a"})), None, 1).tasks == []


@pytest.mark.parametrize("webhook", [False, True])
async def test_a_receipt_that_comes_after_the_end_is_known_to_an_erasure(webhook: bool) -> None:
    """The task was cancelled while its submit was on its way: the provider has its photos. Its webhook may wait."""
    world = World()
    world.release.clear()
    world.receivers.answer = lambda _: 500
    await world.submit("t", webhook=webhook)
    await turns()
    ask = [
        ClaimSubmit("t", 1, StepId.GENERATE_BACKGROUND, "fal", "T1"),
        RecordReceipt("t", StepId.GENERATE_BACKGROUND, "fal", "T1", "fal:flux/requests/42"),
    ]
    await ask[0].handle(world.orchestrator)
    await world.orchestrator.cancel("t")
    await turns()
    await ask[1].handle(world.orchestrator)
    await world.orchestrator.erasure.erase("default", "a")
    assert world.elsewhere[-1].requests == (SentRequest("fal", "fal:flux/requests/42"),)


async def test_a_second_receipt_of_a_step_is_known_to_an_erasure() -> None:
    """An unknown submit was sent again, and both have arrived."""
    world = World(on_unknown_submit="retry", deadlines={"unknown_submit_s": 0})
    world.release.clear()
    await world.submit("t")
    await turns()
    step = StepId.GENERATE_BACKGROUND
    await ClaimSubmit("t", 1, step, "fal", "T1").handle(world.orchestrator)
    await ClaimSubmit("t", 1, step, "fal", "T2").handle(world.orchestrator)
    for number in (1, 2):
        await RecordReceipt("t", step, "fal", f"T{number}", f"fal:{number}").handle(world.orchestrator)
    await world.orchestrator.erasure.erase("default", "a")
    assert world.elsewhere[-1].requests == (SentRequest("fal", "fal:1"), SentRequest("fal", "fal:2"))
