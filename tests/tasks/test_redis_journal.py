"""The journal in a Redis server: full, in a cluster, watched by Sentinel, of version 0.1, and away."""

import os
from collections.abc import Awaitable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import pytest
from redis import Redis

from deployments.media.picture import Picture
from deployments.media.sizes import AspectRatio
from deployments.tasks.entry import Entry
from deployments.tasks.journal import ENTRY, SCHEMA, WORK, JournalBroken, NotTheOwner, WriteUnknown
from deployments.tasks.redis_journal import RedisJournal
from deployments.tasks.work import AvatarJob, Work
from tests.tasks.entries import all_entries, ended, entry, work
from tests.tasks.servers import free_ports, redis, sentinel


def with_photo(task_id: str, size: int) -> tuple[Entry, Work]:
    photos = (Picture(data=os.urandom(size)),)
    return entry(task_id), Work(task_id, AvatarJob("x", photos, AspectRatio.SQUARE, "https://w"))


async def refused(write: Awaitable[None]) -> JournalBroken | None:
    """Why it was refused, if it was."""
    try:
        await write
    except JournalBroken as error:
        return error
    return None


async def test_what_was_accepted_goes_on_where_the_memory_is_full(tmp_path: Path) -> None:
    """New tasks are refused; each change of an accepted one is taken, and its end makes room."""
    with redis(tmp_path, "--maxmemory", "12mb", "--maxmemory-policy", "noeviction") as url:
        journal = RedisJournal(url, "app")
        await journal.take("cluster", 60)
        accepted: list[str] = []
        for size in (300_000, 30_000, 1_000, 1):  # a large one is refused while there is room for a small one
            while (refusal := await refused(journal.write(*with_photo(str(len(accepted)), size)))) is None:
                accepted.append(str(len(accepted)))
            assert "memory" in str(refusal)
            assert not isinstance(refusal, WriteUnknown)
        await journal.write(entry(accepted[0]))
        await journal.write(*with_photo(accepted[0], 300_000))
        assert not await journal.renew(is_busy=True)
        journal = RedisJournal(url, "app")
        assert (await journal.take("cluster", 60)).is_mine
        for task_id in accepted:
            await journal.write(ended(task_id))
        await journal.write(*with_photo("new", 300_000))
        await journal.forget(accepted)
        successor = RedisJournal(url, "app")
        assert (await successor.take("cluster", 60)).is_mine
        assert [kept.entry.task.id for kept in await successor.unfinished()] == ["new"]
        for closing in (journal, successor):
            await closing.close()


@pytest.mark.exhaustive
async def test_a_node_of_a_cluster_keeps_a_journal(tmp_path: Path) -> None:
    """All keys lie in one slot; a client that asks another node is sent to the right one."""
    *ports, bus, other_bus = free_ports(4)
    with ExitStack() as stack:
        nodes = [
            stack.enter_context(Redis.from_url(stack.enter_context(cluster_node(tmp_path / str(port), port, its_bus))))
            for port, its_bus in zip(ports, (bus, other_bus), strict=True)
        ]
        for node, (first, last) in zip(nodes, ((0, 8191), (8192, 16383)), strict=True):
            node.execute_command("CLUSTER", "ADDSLOTSRANGE", first, last)
        nodes[0].execute_command("CLUSTER", "MEET", "127.0.0.1", ports[1], other_bus)
        while not all(is_whole(node.execute_command("CLUSTER", "INFO")) for node in nodes):
            pass
        for port in ports:
            journal = RedisJournal(f"redis://127.0.0.1:{port}", "app")
            assert (await journal.take("cluster", 60)).is_mine
            await journal.write(entry("a"), work("a"))
            await journal.write(ended("b"))
            await journal.forget(["b"])
            assert await all_entries(journal) == [entry("a")]
            await journal.close()


def is_whole(cluster: bytes) -> bool:
    return b"cluster_slots_assigned:16384" in cluster and b"cluster_state:ok" in cluster


def cluster_node(folder: Path, port: int, bus: int) -> AbstractContextManager[str]:
    folder.mkdir()
    where = ["--bind", "127.0.0.1", "--port", str(port), "--cluster-port", str(bus)]
    return redis(folder, *where, "--cluster-enabled", "yes", "--cluster-require-full-coverage", "no")


async def test_sentinel_says_where_the_server_is(tmp_path: Path) -> None:
    """The URL names its watchers, the service, and the password of the server itself."""
    port, watcher = free_ports(2)
    config = tmp_path / "sentinel.conf"
    config.write_text(
        f"port {watcher}\ndir {tmp_path}\nsentinel monitor aige 127.0.0.1 {port} 1\nsentinel auth-pass aige a-secret\n"
    )
    with redis(tmp_path, "--port", str(port), "--requirepass", "a-secret"), sentinel(config):
        url = f"redis+sentinel://:a%2Dsecret@127.0.0.1:1,127.0.0.1:{watcher}/aige/3"
        journal = RedisJournal(url, "app")
        await journal.take("cluster", 60)
        await journal.write(entry("a"), work("a"))
        assert await all_entries(journal) == [entry("a")]
        await journal.close()
        with Redis(port=port, password="a-secret", db=3) as client:
            assert client.hkeys("{aige:app}:works") == [b"a"]


async def test_a_journal_of_version_0_1_moves_and_is_finished_here(redis_url: str) -> None:
    """Its actor cannot write any more, and that version refuses to begin anew; two tries do no harm."""
    with Redis.from_url(redis_url) as client:
        client.set("aige:journal:owner", "token")
        client.set("aige:journal:schema", 3)
        for number in range(450):
            client.hset("aige:journal:entries", f"{number}", ENTRY.dump_json(ended(f"{number}")))
        client.hset("aige:journal:entries", "a", ENTRY.dump_json(entry("a")))
        client.hset("aige:journal:works", "a", WORK.dump_json(work("a")))
        for _ in range(2):
            journal = RedisJournal(redis_url, "app")
            assert (await journal.take("cluster", 60)).is_mine
            assert len(await all_entries(journal)) == 451
            ((kept, _size),) = await journal.unfinished()
            assert kept == entry("a")
            assert await journal.read_work("a") == work("a")
            await journal.close()
            assert client.get("aige:journal:owner") != b"token"
            assert int(client.get("aige:journal:schema")) > SCHEMA
            assert not client.exists("aige:journal:entries", "aige:journal:works")


async def test_a_move_that_was_interrupted_is_done_again(redis_url: str) -> None:
    """It is over when the schema stands at the new place; from then on, the old one is not looked at."""
    with Redis.from_url(redis_url) as client:
        client.set("aige:journal:schema", 3)
        client.hset("aige:journal:entries", "a", ENTRY.dump_json(entry("a")))
        client.hset("aige:journal:works", "a", WORK.dump_json(work("a")))
        client.hset("{aige:app}:entries", "b", ENTRY.dump_json(entry("b")))
        journal = RedisJournal(redis_url, "app")
        await journal.take("cluster", 60)
        assert {known.task.id for known in await all_entries(journal)} == {"a", "b"}
        await journal.write(ended("a"))
        client.set("aige:journal:schema", 3)
        client.hset("aige:journal:entries", "a", ENTRY.dump_json(entry("a")))
        await journal.take("cluster", 60)
        assert await journal.read_entry("a") == ended("a")
        await journal.close()


@pytest.mark.parametrize("key", ["{aige:app}:schema", "aige:journal:schema"])
async def test_a_redis_journal_of_another_version_is_refused(redis_url: str, key: str) -> None:
    """With a line that says what to do; whoever owns it, keeps it."""
    owner = RedisJournal(redis_url, "app")
    await owner.take("cluster", 60)
    with Redis.from_url(redis_url) as client:
        client.delete("{aige:app}:schema")
        client.set(key, 999)
    journal = RedisJournal(redis_url, "app")
    with pytest.raises(JournalBroken, match="another version"):
        await journal.take("cluster", 60)
    assert not await owner.renew()
    for closing in (journal, owner):
        await closing.close()


async def test_a_stand_by_reads_a_journal_of_an_older_schema(redis_url: str) -> None:
    """It migrates what it reads, and writes nothing."""
    with Redis.from_url(redis_url) as client:
        client.set("{aige:app}:schema", 2)
        client.set("{aige:app}:lease", "another cluster", px=60_000)
        stored = ENTRY.dump_json(Entry(entry("a").task))
        client.hset("{aige:app}:entries", "a", stored)
        journal = RedisJournal(redis_url, "app")
        assert not (await journal.take("cluster", 60)).is_mine
        assert await journal.read_entry("a") == Entry(entry("a").task)
        assert client.get("{aige:app}:schema") == b"2"
        await journal.close()


async def test_a_redis_server_that_is_away_is_a_broken_journal(tmp_path: Path) -> None:
    """For reads and writes alike."""
    journal = RedisJournal(f"unix://{tmp_path / 'nobody'}", "app")
    with pytest.raises(JournalBroken, match="the journal in Redis cannot be reached"):
        await journal.unfinished()
    with pytest.raises(JournalBroken) as caught:
        await journal.write(entry("a"))
    assert not isinstance(caught.value, WriteUnknown | NotTheOwner)


async def test_a_user_who_may_use_its_own_keys_alone_is_enough(tmp_path: Path) -> None:
    """They begin with the application's name. Of a journal of version 0.1, such a user sees nothing."""
    with redis(tmp_path, "--user", "aige", "on", ">secret", "~{aige:app}:*", "+@all") as url:
        journal = RedisJournal(url.replace("unix://", "unix://aige:secret@"), "app")
        assert (await journal.take("cluster", 60)).is_mine
        await journal.write(entry("t"), work("t"))
        assert [kept.entry.task.id for kept in await journal.unfinished()] == ["t"]
        await journal.close()
