"""Deliveries of webhooks: when tries are made, what a restart leaves of them, and that nobody waits for a receiver that
does not answer.
"""

import asyncio
from dataclasses import replace

import pytest

from deployments.errors import Conflict, NotFound
from deployments.tasks.webhook import LastTry, Webhook, WebhookState
from deployments.tasks.webhooks import AT_ONCE, JITTER
from tests.tasks.deliveries import URL, World, ended
from tests.tasks.in_process import AT, turns


async def test_the_first_try_is_made_at_once() -> None:
    """Of the task as it has ended, to its URL; a 2xx ends it, which is durable and shown."""
    world = World()
    world.end(ended("t"))
    assert await world.settle() is None
    (call,) = world.receivers.calls
    assert (call.task, call.url) == (ended("t").task, URL)
    assert world.tasks.webhook("t") == Webhook(WebhookState.DELIVERED, 1, LastTry(AT, 200), 0, 1)
    assert [task.webhook for task in world.told] == world.outcomes == [world.tasks.webhook("t")]
    assert len(world.webhooks) == 0


@pytest.mark.parametrize("entry", [ended("t", url=None, webhook=None), ended("t", webhook=Webhook().tried(0, AT, 200))])
async def test_without_a_webhook_that_waits_nothing_is_sent(entry: object) -> None:
    """None was asked for, or it was delivered before a restart."""
    world = World()
    world.webhooks.add(entry)  # type: ignore[arg-type]  # an entry
    await world.settle()
    assert (world.receivers.calls, len(world.webhooks)) == ([], 0)


async def test_a_failed_try_is_repeated_after_each_pause() -> None:
    """Not a moment earlier; after the seventh it is given up. Each tells how it stood before."""
    world = World()
    world.receivers.answer = lambda _: 503
    world.end(ended("t"))
    for tries, pause in enumerate((5, 300, 1800, 7200, 18000, 36000), 1):
        assert await world.settle() == pause
        assert len(world.receivers.calls) == tries
        await world.wait(pause - 0.01)
        assert len(world.receivers.calls) == tries
        await world.wait(0.01)
    assert world.tasks.webhook("t").state is WebhookState.GIVEN_UP
    told = [call.task.webhook for call in world.receivers.calls]
    assert [webhook.tries for webhook in told if webhook] == [0, 1, 2, 3, 4, 5, 6]
    assert told[0] == Webhook()
    assert told[1] == Webhook(WebhookState.WAITING, 1, LastTry(AT, 503), 0, 1)
    await world.wait(100_000)
    assert len(world.receivers.calls) == 7
    assert [webhook.state for webhook in world.outcomes] == [WebhookState.WAITING] * 6 + [WebhookState.GIVEN_UP]


async def test_what_goes_well_at_once_has_no_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """A try that fails has one, and so has each that follows it."""
    caplog.set_level("INFO", "deployments.tasks.webhooks")
    world = World()
    world.end(ended("well"))
    await world.settle()
    assert caplog.messages == []
    answers = iter((503, 200))
    world.receivers.answer = lambda _: next(answers)
    world.end(ended("later"))
    await world.settle()
    await world.wait(5)
    assert caplog.messages == ["webhook: try 1, answer 503, waiting.", "webhook: try 2, answer 200, delivered."]


async def test_pauses_are_jittered() -> None:
    """Never shorter, and longer by a share at most, so that those who failed together come back one by one."""
    world = World(draw=1.0)
    world.receivers.answer = lambda _: "no connection"
    world.end(ended("t"))
    assert await world.settle() == pytest.approx(5 * (1 + JITTER))
    assert 0 < JITTER <= 0.5


async def test_410_is_final() -> None:
    """No other try follows."""
    world = World()
    world.receivers.answer = lambda _: 410
    world.end(ended("t"))
    assert await world.settle() is None
    assert world.tasks.webhook("t").state is WebhookState.GIVEN_UP


async def test_after_a_restart_deliveries_go_on_where_they_were() -> None:
    """What was due meanwhile is tried at once, the rest at its time; a try whose end was not recorded is repeated."""
    world = World()
    world.receivers.answer = lambda call: {"never": None, "twice": 500}.get(call.task.id, 200)
    world.end(ended("never"), ended("twice"), ended("done"))
    await world.settle()
    world.seconds += 3
    world.restarted()
    world.receivers.calls.clear()
    world.receivers.answer = lambda _: 500
    assert await world.settle() == 2
    assert [call.task.id for call in world.receivers.calls] == ["never"]
    assert world.tasks.webhook("never").tries == 1
    await world.wait(2)
    assert [call.task.id for call in world.receivers.calls] == ["never", "twice"]
    world.seconds += 100_000
    world.restarted()
    await world.settle()
    assert sorted(call.task.id for call in world.receivers.calls) == ["never", "never", "twice", "twice"]


async def test_a_wall_clock_that_was_set_back_delays_nothing_for_longer_than_a_pause() -> None:
    """A restart finds a last try in the future."""
    world = World()
    world.receivers.answer = lambda _: 500
    world.end(ended("t"))
    await world.settle()
    entry = world.tasks.entries["t"]
    world.tasks.entries["t"] = replace(
        entry,
        task=replace(entry.task, webhook=Webhook(WebhookState.WAITING, 1, LastTry(AT.replace(year=2099), 500), 0, 1)),
    )
    world.restarted()
    assert await world.settle() == 5


async def test_a_try_whose_process_was_lost_is_made_again_and_does_not_count() -> None:
    """Nobody knows whether it was made: at least once."""
    world = World()
    world.receivers.answer = lambda _: ConnectionError("the replica died")
    world.end(ended("t"))
    due_in = await world.settle()
    assert due_in is not None
    assert 0 < due_in < 5
    assert world.tasks.webhook("t").tries == 0
    world.receivers.answer = lambda _: 200
    await world.wait(due_in)
    assert (world.tasks.webhook("t").state, world.tasks.webhook("t").tries) == (WebhookState.DELIVERED, 1)


async def test_a_fault_of_ours_ends_no_delivery() -> None:
    """It is tried again a moment later."""
    world = World()
    world.tasks.fault = ValueError("a bug")
    world.end(ended("t"))
    due_in = await world.settle()
    assert due_in is not None
    world.tasks.fault = None
    await world.wait(due_in)
    assert world.tasks.webhook("t").state is WebhookState.DELIVERED


class TestSendAgain:
    async def test_it_is_sent_at_once(self) -> None:
        """Whatever has become of it; the answer to who asks is durable."""
        world = World()
        world.end(ended("t"))
        await world.settle()
        task = await world.webhooks.send_again("t")
        assert task == world.tasks.entries["t"].task
        assert task.webhook is not None
        assert (task.webhook.state, task.webhook.tries) == (WebhookState.WAITING, 1)
        await world.settle()
        assert (world.tasks.webhook("t").state, world.tasks.webhook("t").tries) == (WebhookState.DELIVERED, 2)
        assert len({call.task.id for call in world.receivers.calls}) == 1

    async def test_while_it_waits_the_earlier_schedule_ends(self) -> None:
        """One try now, the next ones by the new schedule alone."""
        world = World()
        world.receivers.answer = lambda _: 500
        world.end(ended("t"))
        await world.settle()
        await world.wait(5)  # now the next one is due after five minutes
        await world.wait(298)
        await world.webhooks.send_again("t")
        assert await world.settle() == 2  # of the schedule that is over
        assert len(world.receivers.calls) == 3
        await world.wait(2)
        assert len(world.receivers.calls) == 3
        await world.wait(3)
        assert len(world.receivers.calls) == 4

    async def test_while_a_try_is_under_way_another_one_follows_it(self) -> None:
        """Not beside it; both count."""
        world = World()
        world.receivers.answer = lambda _: None
        world.end(ended("t"))
        await world.settle()
        await world.webhooks.send_again("t")
        await world.settle()
        assert len(world.receivers.calls) == 1
        world.receivers.answer = lambda _: 200
        world.receivers.let_go("t", 200)
        await world.settle()
        assert len(world.receivers.calls) == 2
        assert world.tasks.webhook("t") == Webhook(WebhookState.DELIVERED, 2, LastTry(AT, 200), 1, 1)

    async def test_while_the_last_try_is_being_recorded_it_is_sent_once_more(self) -> None:
        """The delivery ends just then; the request is heard all the same."""
        world = World()
        world.end(ended("t"))
        world.tasks.writing.clear()
        await world.settle()
        asking = asyncio.create_task(world.webhooks.send_again("t"))
        await turns()
        world.tasks.writing.set()
        await asking
        await world.settle()
        assert world.tasks.webhook("t") == Webhook(WebhookState.DELIVERED, 2, LastTry(AT, 200), 1, 1)

    async def test_two_who_ask_at_once_are_both_heard(self) -> None:
        """Each begins a round; it is sent once or twice, and the state stays whole."""
        world = World()
        world.end(ended("t"))
        await world.settle()
        await asyncio.gather(*(world.webhooks.send_again("t") for _ in range(2)))
        await world.settle()
        assert world.tasks.webhook("t").state is WebhookState.DELIVERED
        assert len(world.webhooks) == 0

    async def test_there_must_be_something_to_send(self) -> None:
        """A task that nobody knows, one without a webhook, and one that is forgotten meanwhile."""
        world = World()
        world.tasks.entries["none"] = ended("none", url=None, webhook=None)
        world.tasks.entries["gone"] = ended("gone")
        world.tasks.forgotten.add("gone")
        with pytest.raises(NotFound, match="There is no such task"):
            await world.webhooks.send_again("nobody")
        with pytest.raises(Conflict, match="no webhook"):
            await world.webhooks.send_again("none")
        with pytest.raises(NotFound, match="There is no such task"):
            await world.webhooks.send_again("gone")
        assert len(world.webhooks) == 0


class TestDrop:
    async def test_what_waits_is_not_sent(self) -> None:
        """Whenever it was due."""
        world = World()
        world.receivers.answer = lambda _: 500
        world.end(ended("t"), ended("other"))
        await world.settle()
        await world.webhooks.drop(["t", "nobody"])
        await world.wait(5)
        assert [call.task.id for call in world.receivers.calls] == ["t", "other", "other"]

    async def test_what_becomes_of_a_try_under_way_is_not_written(self) -> None:
        """Else the journal would hold the task again."""
        world = World()
        world.receivers.answer = lambda _: None
        world.end(ended("t"))
        await world.settle()
        await world.webhooks.drop(["t"])
        del world.tasks.entries["t"]
        world.receivers.let_go("t", 200)
        await world.settle()
        assert world.tasks.entries == {}
        assert len(world.webhooks) == 0

    async def test_a_write_that_has_begun_is_over_afterwards(self) -> None:
        """Whoever then forgets the task has the last word in the journal."""
        world = World()
        world.tasks.writing.clear()
        world.end(ended("t"))
        await world.settle()
        dropping = asyncio.create_task(world.webhooks.drop(["t"]))
        await turns()
        assert not dropping.done()
        world.tasks.writing.set()
        await dropping
        assert world.tasks.writes == 1


async def test_a_task_that_is_forgotten_meanwhile_stays_forgotten() -> None:
    """Its webhook ends with it."""
    world = World()
    world.receivers.answer = lambda _: 500
    world.end(ended("t"))
    world.tasks.forgotten.add("t")
    assert await world.settle() is None
    assert len(world.webhooks) == 0


class TestReceivers:
    async def test_one_that_does_not_answer_leaves_room_for_another(self) -> None:
        """Ten thousand deliveries wait for it; it has half of the tries under way, and one more receiver waits for none
        of them.
        """
        world = World(at_once=8)
        world.receivers.answer = lambda call: None if "dead" in call.url else 200
        world.end(*(ended(str(n), "https://dead.example/") for n in range(10_000)))
        await world.settle()
        assert len(world.receivers.calls) == 4
        world.end(*(ended(f"fine {n}", "https://fine.example/") for n in range(20)))
        await world.settle()
        assert len(world.receivers.calls) == 24
        assert world.tasks.webhook("fine 19").state is WebhookState.DELIVERED

    async def test_a_receiver_is_a_host_with_its_port(self) -> None:
        """In whatever case it is written."""
        world = World(at_once=4)
        world.receivers.answer = lambda _: None
        urls = ["https://A.example/1", "https://a.example:443/2", "https://a.example/3?x", "https://a.example:8443/"]
        world.end(*(ended(url, url) for url in urls))
        await world.settle()
        assert [call.url for call in world.receivers.calls] == [urls[0], urls[3], urls[1]]

    async def test_a_url_that_cannot_be_read_is_a_receiver_of_its_own(self) -> None:
        """It comes from another version; it stops nobody else's."""
        world = World()
        world.end(ended("odd", "https://[odd/"), ended("fine"))
        await world.settle()
        assert [call.task.id for call in world.receivers.calls] == ["odd", "fine"]

    def test_so_many_tries_are_under_way_at_most(self) -> None:
        """One receiver's lookups of a name that hang leave threads for the others: see `deployments.media.door`."""
        assert AT_ONCE == 128


async def test_it_runs_by_itself() -> None:
    """Woken by what ends, and by time."""
    world = World()
    running = asyncio.create_task(world.webhooks.run())
    await turns()
    world.end(ended("t"))
    await turns()
    assert world.tasks.webhook("t").state is WebhookState.DELIVERED
    running.cancel()
