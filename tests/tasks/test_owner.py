"""Who answers: of two clusters on one journal, one works and the other stands by until traffic reaches it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import pytest

from deployments.errors import Unavailable
from deployments.settings import Settings
from deployments.tasks.entry import Binding
from deployments.tasks.journal import HOME_LEASES, Ground, Hold, Journal, JournalAway
from deployments.tasks.lease import TOLD_BEATS, Lease
from deployments.tasks.messages import (
    CancelTask,
    CheckReady,
    ClaimSubmit,
    Delivery,
    FindBoundTask,
    GetTask,
    Message,
    RecordReceipt,
    SubmitTask,
    WatchTasks,
)
from deployments.tasks.orchestrator import Orchestrator
from deployments.tasks.owner import Owner
from deployments.tasks.record import Status, now
from deployments.tasks.redis_journal import RedisJournal
from deployments.tasks.work import Outcome, StepRequest
from tests.tasks.in_process import FakeStages, end_of, finish, task_and_work
from tests.tasks.journals import HeldJournal

STEP, ENGINE = "generate_background", "fal"
LONG_S = 60


class Actor:
    """An actor of a cluster: its owner, whose stages do nothing until they are told to."""

    def __init__(self, journal: Journal, cluster: str, lease_s: float) -> None:
        self.go_on = asyncio.Event()
        self.requests: asyncio.Queue[StepRequest] = asyncio.Queue()
        self.lease = lease = Lease(journal, cluster, lease_s=lease_s, beat_s=0.005)
        settings = Settings.model_validate({"deadlines": {"unknown_submit_s": 0}})
        stages = FakeStages(self._run)
        self.orchestrator = Orchestrator(settings, journal, stages.send, good_for=lease.told_s, watch_s=0.01)
        self.owner = Owner(self.orchestrator, journal, lease)
        self.handle = self.owner.handle
        self.serving: asyncio.Task[None] | None = None

    async def _run(self, request: StepRequest) -> Outcome:
        self.requests.put_nowait(request)
        await self.go_on.wait()
        return await finish(request)

    async def begin(self) -> None:
        await self.owner.begin()
        self.serving = asyncio.create_task(self.owner.serve())

    async def end(self) -> None:
        """Until its process would end."""
        assert self.serving is not None
        await self.serving


def submission(task_id: str, binding: Binding | None = None) -> SubmitTask:
    return SubmitTask(*task_and_work(task_id), binding, now() + timedelta(seconds=LONG_S))


async def answers(actor: Actor, message: Message[object]) -> bool:
    """Whether it does not refuse the message."""
    try:
        await actor.handle(message)
    except Unavailable:
        return False
    return True


async def receipts_of(task_id: str, actor: Actor) -> list[str | None]:
    """What its next step hears of the submits before it."""
    while True:
        request = await actor.requests.get()
        if request.task_id == task_id:
            return [submit.receipt for submit in request.paid.values()]


@pytest.fixture
async def start(redis_url: str) -> AsyncIterator[Callable[[str], Actor]]:
    """Makes actors on one journal, by the name of their cluster."""
    journals: list[RedisJournal] = []

    def made(cluster: str, lease_s: float = LONG_S) -> Actor:
        journals.append(RedisJournal(redis_url, "app"))
        return Actor(journals[-1], cluster, lease_s)

    yield made
    for journal in journals:
        await journal.close()


@asynccontextmanager
async def begun(*actors: Actor) -> AsyncIterator[None]:
    for actor in actors:
        await actor.begin()
    yield
    for actor in actors:
        assert actor.serving is not None
        actor.serving.cancel()


async def test_a_stand_by_tells_how_tasks_stand_and_changes_nothing(start: Callable[[str], Actor]) -> None:
    """An upgrade that fails, to which no traffic ever comes, costs nothing."""
    old, new = start("old"), start("new")
    async with begun(old, new):
        await old.handle(submission("t"))
        shown = await new.handle(GetTask("t"))
        assert shown is not None
        assert shown.status is Status.PROCESSING_AVATAR_MODEL
        assert await new.handle(GetTask("never there")) is None
        with pytest.raises(Unavailable, match="The task status actor is not in charge here"):
            await new.handle(WatchTasks("m", None))
        old.go_on.set()
        while (shown := await new.handle(GetTask("t"))) is None or not shown.is_ended:
            pass
        assert (await old.handle(submission("u"))).task.id == "u"
        assert not old.serving.done()  # type: ignore[union-attr]
        assert new.requests.empty()


async def test_it_is_handed_over_once_no_mirror_shows_what_the_old_one_told(start: Callable[[str], Actor]) -> None:
    """One that asks no more is waited for."""
    old, new = start("old"), start("new")
    old.lease.beat_s = 0.2
    clock = asyncio.get_running_loop().time
    async with begun(old, new):
        await old.handle(WatchTasks("mirror", None))
        told_at = clock()
        assert (await new.handle(submission("t"))).task.id == "t"
        assert clock() - told_at > TOLD_BEATS * old.lease.beat_s - 0.01
        await old.end()


@pytest.mark.parametrize("first", ["submission", "cancellation", "search for a key"])
async def test_it_takes_over_with_the_first_request_that_changes_something(
    start: Callable[[str], Actor], first: str
) -> None:
    """Work in flight goes on there from its last checkpoint, and the old actor ends and answers no more."""
    old, new = start("old"), start("new")
    binding = Binding("key", "request")
    async with begun(old, new):
        await old.handle(submission("t", binding))
        match first:
            case "submission":
                assert (await new.handle(submission("u"))).task.id == "u"
            case "cancellation":
                assert (await new.handle(CancelTask("t"))).status is Status.ERROR
            case _:
                found = await new.handle(FindBoundTask(binding))
                assert found is not None
                assert found.id == "t"
        await old.end()
        for message in (submission("v"), GetTask("t"), WatchTasks("m", None)):
            with pytest.raises(Unavailable, match="The task status actor is not in charge here"):
                await old.handle(message)
        if first != "cancellation":
            assert (await new.requests.get()).task_id == "t"
            new.go_on.set()
            assert (await end_of(new.orchestrator)).status is Status.DONE


async def test_a_cluster_that_was_replaced_does_not_take_the_journal_back(start: Callable[[str], Actor]) -> None:
    """Some clients keep their old connection: they are told to try again, and see how their tasks stand."""
    old, new = start("old"), start("new")
    async with begun(old, new):
        await old.handle(submission("t"))
        await new.handle(submission("u"))
        await old.end()
        again = start("old")
        async with begun(again):
            with pytest.raises(Unavailable, match="The task status actor is not in charge here"):
                await again.handle(submission("v"))
            assert await again.handle(GetTask("t")) is not None
            assert (await new.handle(submission("v"))).task.id == "v"


@pytest.mark.exhaustive
async def test_a_stand_by_takes_over_once_the_other_cluster_is_gone(start: Callable[..., Actor]) -> None:
    """It need not be asked for anything, but has time to start another actor."""
    old, new = start("old", 0.3), start("new")
    began_at = asyncio.get_running_loop().time()
    async with begun(old):
        await old.handle(submission("t"))
    async with begun(new):  # the old one renews no more
        assert (await new.requests.get()).task_id == "t"
        assert asyncio.get_running_loop().time() - began_at >= HOME_LEASES * 0.3


async def test_callers_wait_for_no_more_than_the_lease(start: Callable[..., Actor]) -> None:
    """Where they come to the new cluster and the old one is gone."""
    old, new = start("old", 0.6), start("new")
    async with begun(old):
        await old.handle(submission("t"))
    async with begun(new):
        began_at = asyncio.get_running_loop().time()
        assert (await new.handle(submission("u"))).task.id == "u"
        assert asyncio.get_running_loop().time() - began_at < HOME_LEASES * 0.6 - 0.6


@pytest.mark.exhaustive
async def test_a_cluster_that_callers_still_come_to_gets_the_journal_back(start: Callable[..., Actor]) -> None:
    """Its actor was away for long, so the stand-by has taken over, though nobody came to it: no outage follows."""
    old, new = start("old", 0.3), start("new")
    async with begun(old):
        await old.handle(submission("t"))
        await asyncio.wait({old.serving}, timeout=0.05)  # type: ignore[type-var]
    async with begun(new):
        await new.requests.get()
        again = start("old")
        async with begun(again):
            assert (await again.handle(submission("u"))).task.id == "u"
            await new.end()
            upgraded = start("new")
            async with begun(upgraded):
                assert (await upgraded.handle(submission("v"))).task.id == "v"
                await again.end()


async def test_a_cluster_that_was_replaced_is_not_ready(start: Callable[..., Actor]) -> None:
    """One that stands by is: traffic may come to it."""
    old, new = start("old"), start("new")
    async with begun(old, new):
        await old.handle(submission("t"))
        await new.handle(CheckReady())
        await new.handle(submission("u"))
        await old.end()
        again = start("old")
        async with begun(again):
            with pytest.raises(Unavailable, match="The task status actor is not in charge here"):
                await again.handle(CheckReady())


@dataclass(frozen=True)
class Impatient(FindBoundTask):
    """Its caller gives up soon."""

    delivery = Delivery(patience_s=0.02)


async def test_a_request_that_waits_for_the_journal_is_refused_in_time(start: Callable[..., Actor]) -> None:
    """And kept no longer: it may hold photos."""
    old, new = start("old"), start("new")
    async with begun(old):
        await old.handle(submission("t"))
    async with begun(new):  # the old one does not answer
        with pytest.raises(Unavailable, match="The task status actor is not in charge here"):
            await new.handle(Impatient(Binding("key", "request")))


async def test_nothing_is_claimed_once_the_lease_has_run_out(start: Callable[..., Actor]) -> None:
    """Another process may have the journal, and may have ended the task."""
    actor = start("old", 0.3)
    async with begun(actor):
        await actor.handle(submission("t"))
        await actor.requests.get()
    await asyncio.sleep(actor.lease.left_s)
    for message in (ClaimSubmit("t", 1, STEP, ENGINE, "token"), GetTask("t"), submission("u")):
        with pytest.raises(Unavailable, match="The task status actor has lost its journal"):
            await actor.handle(message)


async def test_receipts_that_are_on_their_way_are_waited_for(start: Callable[[str], Actor]) -> None:
    """What was submitted to a provider is not submitted again, and nothing new is."""
    old, new = start("old"), start("new")
    async with begun(old, new):
        for task_id in ("t", "u"):
            await old.handle(submission(task_id))
            await old.requests.get()
        claim = ClaimSubmit("t", 1, STEP, ENGINE, "token")
        assert await old.handle(claim) is None
        taking = asyncio.create_task(new.handle(submission("v")))
        while await answers(old, FindBoundTask(Binding("key", "request"))):
            await new.handle(GetTask("t"))  # until the old actor has heard that it is asked for the journal
        for _ in range(20):
            assert await new.handle(GetTask("t")) is not None  # meanwhile the old actor could have left
        assert not await answers(old, ClaimSubmit("u", 1, STEP, ENGINE, "token"))
        assert not taking.done()
        await old.handle(RecordReceipt("t", STEP, ENGINE, "token", "fal:request 1"))
        await taking
        assert await receipts_of("t", new) == ["fal:request 1"]


async def test_a_claim_that_is_being_written_is_waited_for(redis_url: str, start: Callable[[str], Actor]) -> None:
    """It is answered before the journal goes, and so is its submit: nobody takes it for one of unknown fate."""
    journal = HeldJournal(redis_url, "app")
    old, new = Actor(journal, "old", LONG_S), start("new")
    async with begun(old, new):
        await old.handle(submission("t"))
        await old.requests.get()
        journal.goes_on.clear()
        claiming = asyncio.create_task(old.handle(ClaimSubmit("t", 1, STEP, ENGINE, "token")))
        taking = asyncio.create_task(new.handle(submission("v")))
        while await answers(old, FindBoundTask(Binding("key", "request"))):
            await new.handle(GetTask("t"))
        for _ in range(20):
            assert await new.handle(GetTask("t")) is not None
        assert not taking.done()
        journal.goes_on.set()
        assert await claiming is None
        await old.handle(RecordReceipt("t", STEP, ENGINE, "token", "fal:request 1"))
        await taking
        assert await receipts_of("t", new) == ["fal:request 1"]
    await journal.close()


async def test_a_successor_in_the_same_cluster_takes_the_journal_at_once(start: Callable[..., Actor]) -> None:
    """Work goes on; callers are answered once the lease of the one before has run out, and that one ends."""
    first, second = start("one", 0.2), start("one", LONG_S)
    async with begun(first):
        await first.handle(submission("t"))
        async with begun(second):
            assert (await second.requests.get()).task_id == "t"
            await first.end()
            asked_at = asyncio.get_running_loop().time()
            assert await second.handle(GetTask("t")) is not None
            assert asyncio.get_running_loop().time() - asked_at < 0.3


async def test_a_journal_that_is_away_at_first_is_waited_for(redis_url: str) -> None:
    """For ten beats of the lease; then the start fails, and says why."""
    url = [f"{redis_url}-away"]

    async def appears(_: float) -> None:
        url[0] = redis_url

    class Appearing(RedisJournal):
        async def take(self, cluster: str, lease_s: float, ground: Ground = Ground.IDLE) -> Hold:
            if url[0] != redis_url:
                raise JournalAway("it cannot be reached")
            return await super().take(cluster, lease_s, ground)

    async def never(_: float) -> None:
        pass

    for sleep, begins in ((never, False), (appears, True)):
        journal = Appearing(redis_url, "app")
        lease = Lease(journal, "cluster")
        orchestrator = Orchestrator(Settings(), journal, FakeStages(finish).send)
        owner = Owner(orchestrator, journal, lease, sleep=sleep)
        if begins:
            await owner.begin()
            assert (await owner.handle(submission("t"))).task.id == "t"
        else:
            with pytest.raises(JournalAway):
                await owner.begin()
        await journal.close()
