"""What a journal on a server promises when the network, or another owner, comes between: done, refused or unknown."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest

from deployments.tasks.entry import Entry
from deployments.tasks.journal import Ground, Hold, Journal, JournalAway, NotTheOwner, WriteUnknown
from tests.tasks.entries import all_entries, entry, work
from tests.tasks.journals import PLACES, TIMEOUT_S
from tests.tasks.servers import Network

pytestmark = [pytest.mark.parametrize("place", PLACES), pytest.mark.exhaustive]
Open = Callable[[], Journal]


@pytest.fixture
def at_server(request: pytest.FixtureRequest, place: str) -> Open:
    """Opens the journal, with nothing between it and its server."""
    return partial(PLACES[place], request.getfixturevalue(f"{place}_url"), "app")


@pytest.fixture
def over_network(network: Network, place: str) -> Open:
    """Opens the journal by way of `network`."""
    return partial(PLACES[place], network.url, "app", TIMEOUT_S)


def changed(task_id: str) -> Entry:
    """A later state of `entry(task_id)`."""
    return replace(entry(task_id), paid={})


async def test_a_write_whose_answer_is_lost_is_unknown(network: Network, over_network: Open) -> None:
    """It may have happened, as here. Then it can be repeated."""
    journal = over_network()
    await journal.take("cluster", 60)
    await journal.touch()
    network.befall("lost")
    with pytest.raises(WriteUnknown):
        await journal.write(entry("a"), work("a"))
    assert await journal.read_entry("a") == entry("a")
    await journal.write(entry("a"), work("a"))
    assert await all_entries(journal) == [entry("a")]
    await journal.close()


async def test_a_write_that_was_not_sent_is_refused(network: Network, over_network: Open, at_server: Open) -> None:
    """Nothing happened; what is read says the same."""
    journal, witness = over_network(), at_server()
    await journal.take("cluster", 60)
    network.cut()
    with pytest.raises(JournalAway):  # the connection breaks as it is used
        await journal.read_entry("a")
    for _ in range(2):
        with pytest.raises(JournalAway) as caught:
            await journal.write(entry("a"), work("a"))
        assert not isinstance(caught.value, WriteUnknown)
    assert await witness.read_entry("a") is None
    for closing in (journal, witness):
        await closing.close()


async def test_a_write_that_the_network_held_back_changes_nothing(network: Network, over_network: Open) -> None:
    """It comes after newer ones, of which it knows nothing: a claim, a receipt, the work, or the end."""
    journal = over_network()
    await journal.take("cluster", 60)
    await journal.write(entry("a"), work("a"))
    network.befall("held")
    with pytest.raises(WriteUnknown):
        await journal.write(changed("a"), work("a").without_photos())
    await journal.write(entry("a"), work("a").past("upload"))
    await network.deliver()
    assert await journal.read_entry("a") == entry("a")
    assert await journal.read_work("a") == work("a").past("upload")
    await journal.close()


async def test_a_late_write_does_not_bring_back_what_was_forgotten(network: Network, over_network: Open) -> None:
    """Nor does it keep a new task out."""
    journal = over_network()
    await journal.take("cluster", 60)
    await journal.touch()
    network.befall("held")
    with pytest.raises(WriteUnknown):
        await journal.write(entry("a"), work("a"))
    await journal.forget(["a"])
    await network.deliver()
    assert await journal.read_entry("a") is None
    await journal.write(entry("b"), work("b"))
    assert await all_entries(journal) == [entry("b")]
    await journal.close()


async def test_a_write_of_a_former_owner_changes_nothing(at_server: Open) -> None:
    """Not even as it forgets: what it wants to forget, the new owner may need."""
    older, newer = at_server(), at_server()
    assert (await older.take("cluster", 60)).is_mine
    await older.write(entry("a"), work("a"))
    assert (await newer.take("cluster", 60)).is_mine
    for refused in (
        older.write(entry("b"), work("b")),
        older.write(changed("a")),
        older.forget(["a"]),
        older.renew(),
    ):
        with pytest.raises(NotTheOwner):
            await refused
    assert await all_entries(newer) == [entry("a")]
    await newer.write(changed("a"))
    assert await newer.read_entry("a") == changed("a")
    for journal in (older, newer):
        await journal.close()


async def test_a_late_write_of_a_former_owner_changes_nothing(
    network: Network, over_network: Open, at_server: Open
) -> None:
    """However new it was in its day."""
    older, newer = over_network(), at_server()
    await older.take("cluster", 60)
    for _ in range(3):
        await older.write(entry("a"), work("a"))
    network.befall("held")
    with pytest.raises(WriteUnknown):
        await older.write(changed("a"))
    await newer.take("cluster", 60)
    await newer.write(entry("a"))
    await network.deliver()
    assert await newer.read_entry("a") == entry("a")
    for journal in (older, newer):
        await journal.close()


async def test_another_cluster_waits_until_the_lease_is_over(at_server: Open) -> None:
    """Released, or taken by force; one of the same cluster hears how long it lasts, and does not wait.

    Whoever has it knows how often it was taken.
    """
    one, two, three = at_server(), at_server(), at_server()
    assert await one.take("a", 60) == Hold(is_mine=True, epoch=1)
    for ground in (Ground.IDLE, Ground.TRAFFIC):
        hold = await two.take("b", 60, ground)
        assert (hold.is_mine, hold.retired, hold.epoch, 59 < hold.left_s <= 60) == (False, False, 0, True)
    again = await three.take("a", 60)
    assert (again.is_mine, again.epoch, 59 < again.left_s <= 60) == (True, 2, True)
    await three.release()
    assert await two.take("b", 60) == Hold(is_mine=True, epoch=3)
    back = await three.take("a", 60, Ground.FORCE)
    assert (back.is_mine, back.epoch, 59 < back.left_s <= 60) == (True, 4, True)
    with pytest.raises(NotTheOwner):
        await two.renew()
    for journal in (one, two, three):
        await journal.close()


async def test_callers_wait_for_the_lease_and_a_stand_by_five_times_as_long(at_server: Open) -> None:
    """So that the cluster whose actor died has time to start another one."""
    one, two = at_server(), at_server()
    for ground, shortest_s, longest_s in ((Ground.TRAFFIC, 0.4, 1.9), (Ground.IDLE, 2.0, 9.0)):
        await one.take("a", 0.4, Ground.FORCE)
        assert not await one.renew()
        renewed_at = asyncio.get_running_loop().time()
        while not (hold := await two.take("b", 0.4, ground)).is_mine:
            pass
        assert shortest_s - 0.02 < asyncio.get_running_loop().time() - renewed_at < longest_s
        assert hold.left_s == 0
    for journal in (one, two):
        await journal.close()


async def test_a_cluster_is_retired_where_callers_have_gone_to_another(at_server: Open) -> None:
    """Not where the other one only took over while this one's actor was away, nor where nobody ever came here."""
    one, two = at_server(), at_server()
    await one.take("a", 60)
    await one.renew(is_busy=True)
    await one.release()
    await two.take("b", 60)
    assert not (await one.take("a", 60, Ground.TRAFFIC)).retired
    await two.renew(is_busy=True)
    assert (await one.take("a", 60)).retired
    await two.release()
    assert (await one.take("a", 60)).is_mine
    assert (await two.take("b", 60)).retired
    await one.take("a", 60, Ground.FORCE)
    await two.take("c", 60, Ground.FORCE)
    assert not (await one.take("never busy", 60)).retired
    for journal in (one, two):
        await journal.close()


async def test_the_owner_hears_that_another_cluster_asks_for_it(at_server: Open) -> None:
    """Then it releases the journal, which is kept free for who asked."""
    one, two, three = at_server(), at_server(), at_server()
    await one.take("a", 60)
    assert not await one.renew()
    assert not (await two.take("b", 60)).is_mine
    await two.ask_for_it()
    assert await one.renew()
    await one.release()
    assert not (await three.take("a", 60)).is_mine
    assert (await two.take("b", 60)).is_mine
    assert not await two.renew()
    for journal in (one, two, three):
        await journal.close()


async def test_two_applications_do_not_meet(request: pytest.FixtureRequest, place: str) -> None:
    """On one server, each has a journal of its own."""
    url = request.getfixturevalue(f"{place}_url")
    one, two = PLACES[place](url, "one"), PLACES[place](url, "two")
    for journal, task_id in ((one, "a"), (two, "b")):
        assert (await journal.take(task_id, 60)).is_mine
        await journal.write(entry(task_id), work(task_id))
    await one.forget(["b"])
    assert await all_entries(one) == [entry("a")]
    assert await all_entries(two) == [entry("b")]
    for journal in (one, two):
        await journal.close()


async def test_writes_that_are_cancelled_are_done_or_not_and_spoil_nothing(over_network: Open) -> None:
    """The replies of one are never taken for those of another."""
    journal = over_network()
    await journal.take("cluster", 60)
    for number in range(20):
        writing = asyncio.create_task(journal.write(entry("a"), work("a")))
        reading = asyncio.create_task(journal.read_entry("a"))
        for _ in range(number):
            await asyncio.sleep(0)
        writing.cancel()
        reading.cancel()
        await asyncio.gather(writing, reading, return_exceptions=True)
        await journal.write(changed("b"), work("b"))
        assert await journal.read_entry("b") == changed("b")
        assert await journal.read_work("b") == work("b")
    await journal.close()
