"""Moving a journal: all that it held is in the other one, nothing is written over, and nothing is there in part."""

import asyncio
import gzip
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from io import StringIO
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from pydantic import SecretStr

from deployments.media.picture import Picture
from deployments.media.sizes import AspectRatio, CanvasSize
from deployments.settings import Environment
from deployments.tasks.entry import Binding, Entry, Spending
from deployments.tasks.journal import ENTRY, WORK, Journal, JournalBroken, MemoryJournal, NotTheOwner
from deployments.tasks.lease import Lease
from deployments.tasks.open_journal import open_journal
from deployments.tasks.work import BackgroundJob, OverlayJob, Work
from scripts.move_journal import MOST, CannotMove, Moved, exported, imported, moved, tasks_in, while_held
from tests.tasks.entries import AT, all_entries, ended, entry, work
from tests.tasks.in_process import no_sleep, turns
from tests.tasks.journals import BrokenJournal

ROOT = Path(__file__).parents[2]
APP = "pictures"


def all_tasks() -> list[Moved]:
    """Running ones of each operation, with receipts, keys and money; ended ones; and a spending alone."""
    background = BackgroundJob("a sea", AspectRatio.TALL, "https://w")
    pictures = Picture(url="u"), Picture(data=b"\x89PNG\0")
    overlay = OverlayJob("x", *pictures, CanvasSize.SQUARE, -1.5, 1e300, 0.1, "https://w")
    done = replace(entry("done").task, notes=("A note.",)).finished(1, AT)
    return [
        Moved(entry("avatar"), work("avatar")),
        Moved(_bound("background"), Work("background", background, picture=Picture(data=bytes(range(256))))),
        Moved(_bound("overlay"), Work("overlay", overlay)),
        Moved(ended("cancelled"), None),
        Moved(replace(entry("done"), binding=Binding("k\u2028é", "f")).with_task(done), None),
        Moved(Entry.alone("mobile", Spending("token", AT, Decimal("0.1000"))), None),
    ]


def _bound(task_id: str) -> Entry:
    return replace(entry(task_id), binding=Binding(f"key of {task_id}", "fingerprint"))


def bytes_of(tasks: list[Moved]) -> dict[str, tuple[bytes, bytes | None]]:
    """Every task as a journal keeps it."""
    return {
        task.entry.task.id: (ENTRY.dump_json(task.entry), WORK.dump_json(task.work) if task.work else None)
        for task in tasks
    }


async def text_of(journal: Journal) -> str:
    out = StringIO()
    await exported(journal, out)
    return out.getvalue()


class Place:
    """A journal's place: a config file that names it, and the environment."""

    def __init__(self, folder: Path, journal: str, url: str | None = None) -> None:
        folder.mkdir()
        self.config = folder / "config.yaml"
        self.config.write_text(yaml.safe_dump({"applications": [{"name": APP, "args": {"journal": journal}}]}))
        self.environment = Environment(aige_data_dir=folder, aige_journal_url=SecretStr(url) if url else None)
        self.where = url or journal

    @asynccontextmanager
    async def opened(self, cluster: str = "a service") -> AsyncIterator[Journal]:
        """Taken as a service takes it that has just started."""
        journal = open_journal(self.where, self.environment.aige_data_dir, APP)
        assert (await journal.take(cluster, 60)).is_mine
        yield journal
        await journal.release()
        await journal.close()

    async def filled(self) -> None:
        async with self.opened() as journal:
            for task in all_tasks():
                await journal.write(entry(task.entry.task.id), work(task.entry.task.id))
                await journal.write(task.entry, task.work)

    async def moved(self, action: str, file: Path) -> str:
        return await moved(action, file, self.config, self.environment, sleep=no_sleep)


@pytest.fixture
def sqlite(tmp_path: Path) -> Place:
    return Place(tmp_path / "sqlite", "sqlite")


async def test_everything_moves_to_redis_to_postgresql_and_back(
    sqlite: Place, redis_url: str, postgres_url: str, tmp_path: Path
) -> None:
    """Entries, paid submits, keys, money, works: to the byte. A service may start there at once."""
    places = [sqlite, Place(tmp_path / "r", "redis", redis_url), Place(tmp_path / "p", "postgresql", postgres_url)]
    places.append(Place(tmp_path / "back", "sqlite"))
    await sqlite.filled()
    for number, (place, following) in enumerate(pairwise(places)):
        file = tmp_path / f"{number}.jsonl"
        assert (await place.moved("export", file)).startswith("6 tasks are in")
        assert file.stat().st_mode & 0o077 == 0
        assert await following.moved("import", file) == "6 tasks are in the journal."
        async with following.opened() as journal:
            kept = list(tasks_in(StringIO(await text_of(journal))))
            assert bytes_of(kept) == bytes_of(all_tasks())


async def test_a_journal_that_holds_tasks_is_left_alone(sqlite: Place, tmp_path: Path) -> None:
    """Two services' tasks never mix."""
    await sqlite.filled()
    await sqlite.moved("export", tmp_path / "file")
    with pytest.raises(CannotMove, match="not empty"):
        await sqlite.moved("import", tmp_path / "file")
    with pytest.raises(FileExistsError):
        await sqlite.moved("export", tmp_path / "file")


@pytest.mark.parametrize("action", ["export", "import"])
async def test_a_journal_that_a_service_has_is_left_alone(redis_url: str, tmp_path: Path, action: str) -> None:
    """Once that is stopped, its lease runs out, and the journal moves."""
    place, file = Place(tmp_path / action, "redis", redis_url), tmp_path / "file"
    if action == "import":
        file.write_text(await text_of(MemoryJournal()))
    journal = open_journal(redis_url, tmp_path, APP)
    await journal.take("a service", 60)
    with pytest.raises(CannotMove, match="stop that first"):
        await place.moved(action, file)
    assert await journal.renew() is False
    assert file.exists() is (action == "import")
    await journal.release()
    await place.moved(action, file)
    await journal.close()


class Asked(MemoryJournal):
    """Its owner is asked for it at once."""

    is_leased = True

    async def renew(self, *, is_busy: bool = False) -> bool:
        return True


async def test_a_move_ends_where_a_service_asks_for_the_journal() -> None:
    """That would take it by force soon. What was begun is taken back first."""
    is_taken_back = False

    async def moving() -> str:
        nonlocal is_taken_back
        try:
            await asyncio.Event().wait()
        finally:
            is_taken_back = True
        return "moved"

    lease = Lease(Asked(), "import", sleep=no_sleep)
    await lease.take()
    with pytest.raises(CannotMove, match="started meanwhile"):
        await while_held(lease, moving())
    assert is_taken_back


async def test_memory_cannot_be_moved(tmp_path: Path) -> None:
    """It holds nothing before and after."""
    with pytest.raises(CannotMove, match="keeps nothing"):
        await Place(tmp_path / "place", "memory").moved("export", tmp_path / "file")


WHOLE = '{"aige_journal": 3}\n{"tasks": 0}\n'


async def test_a_file_that_is_no_text_is_refused(sqlite: Place, tmp_path: Path) -> None:
    """Such as an export that somebody has compressed."""
    (tmp_path / "file").write_bytes(gzip.compress(WHOLE.encode()))
    with pytest.raises(CannotMove, match="no text"):
        await sqlite.moved("import", tmp_path / "file")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no export"),
        ("{}\n", "no export"),
        ('{"aige_journal": 2}\n{"tasks": 0}\n', "no export"),
        ("[]\n", "no export"),
        ("PNG\n", "no export"),
        ('{"aige_journal": 3}\n', "ends after 0 tasks"),
        ('{"aige_journal": 3}\n{"tasks": 1}\n', "as many tasks"),
        ('{"aige_journal": 3}\n{"tas', "line 2"),
        (WHOLE + "{}\n", "as many tasks"),
        (WHOLE.replace('{"tasks"', '{"work": null}\n{"tasks"'), "line 2"),
    ],
)
async def test_a_file_that_is_no_whole_export_is_refused(sqlite: Place, tmp_path: Path, text: str, said: str) -> None:
    """Nor one of another schema. The journal is not even opened."""
    (tmp_path / "file").write_text(text)
    with pytest.raises(CannotMove, match=said):
        await sqlite.moved("import", tmp_path / "file")
    assert not (tmp_path / "sqlite/journal.sqlite3").exists()


async def test_half_an_export_is_refused_wherever_it_ends(sqlite: Place) -> None:
    """So is one in which a running task has lost its work, or an ended one has some."""
    await sqlite.filled()
    async with sqlite.opened() as journal:
        text = await text_of(journal)
    assert len(list(tasks_in(StringIO(text)))) == 6
    for end in range(0, len(text) - 2, 97):
        with pytest.raises(CannotMove):
            list(tasks_in(StringIO(text[:end])))
    with pytest.raises(CannotMove, match="no work, or one too many"):
        list(tasks_in(StringIO(text.replace('"work":null', f'"work":{WORK.dump_json(work("a")).decode()}'))))


class Watched(BrokenJournal):
    """Remembers when it was whole."""

    def __init__(self, *refused: int) -> None:
        super().__init__(*refused)
        self.whole: list[tuple[bool, int]] = []

    async def set_whole(self, *, is_whole: bool) -> None:
        self.whole.append((is_whole, len(self._entries)))


def many(number: int) -> list[Moved]:
    return [Moved(ended(str(one)), None) for one in range(number)]


async def test_an_import_that_fails_takes_back_what_it_has_written() -> None:
    """The journal is whole again when it is empty: another try begins anew."""
    journal = Watched(MOST + 7)
    with pytest.raises(JournalBroken, match="disk is full"):
        await imported(journal, many(MOST + 20))
    assert await all_entries(journal) == []
    assert journal.whole == [(False, 0), (True, 0)]
    assert await imported(journal, many(MOST + 20)) == MOST + 20
    assert journal.whole[2:] == [(False, 0), (True, MOST + 20)]


async def test_an_import_that_is_interrupted_takes_it_back_too() -> None:
    """By Ctrl-C, say, or because the lease was lost."""

    class Hanging(Watched):
        async def write(self, entry: Entry, work: Work | None = None) -> None:
            if entry.task.id == "3":
                await asyncio.Event().wait()
            await super().write(entry, work)

    journal = Hanging()
    importing = asyncio.create_task(imported(journal, many(5)))
    await turns()
    assert len(await all_entries(journal)) == 4
    importing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await importing
    assert await all_entries(journal) == []
    assert journal.whole == [(False, 0), (True, 0)]


async def test_a_write_that_is_late_is_taken_back_too() -> None:
    """Another one has failed while it was on its way."""

    class Late(Watched):
        async def write(self, entry: Entry, work: Work | None = None) -> None:
            if entry.task.id == "0":
                raise JournalBroken("the disk is full")
            await turns()
            await super().write(entry, work)

    journal = Late()
    with pytest.raises(JournalBroken):
        await imported(journal, many(5))
    for _ in range(3):
        await turns()
    assert await all_entries(journal) == []


async def test_one_that_cannot_be_taken_back_is_never_whole() -> None:
    """Nobody opens it then: see the tests of the journals."""

    class Lost(Watched):
        async def forget(self, task_ids: list[str]) -> None:
            raise NotTheOwner("another process has it")

    journal = Lost(2)
    with pytest.raises(NotTheOwner):
        await imported(journal, many(5))
    assert journal.whole == [(False, 0)]


@pytest.mark.exhaustive
def test_the_commands_do_it(redis_url: str, tmp_path: Path) -> None:
    """As `make` calls them, in a process of their own; what goes wrong is one line."""
    place, file = Place(tmp_path / "place", "sqlite"), tmp_path / "file"
    asyncio.run(place.filled())
    there = Place(tmp_path / "there", "redis", redis_url)

    def run(action: str, of: Place, **variables: str) -> tuple[int, str]:
        command = [sys.executable, "-m", "scripts.move_journal", action, str(file), "--config", str(of.config)]
        folder = {"AIGE_DATA_DIR": str(of.config.parent)}
        done = subprocess.run(
            command, cwd=ROOT, env=os.environ | folder | variables, capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout + done.stderr

    assert run("import", place) == (1, f"The journal was not moved: [Errno 2] No such file or directory: '{file}'\n")
    status, said = run("export", place)
    assert (status, said.startswith("6 tasks are in")) == (0, True)
    assert run("import", place)[0] == 1
    status, said = run("import", there)
    assert (status, "AIGE_JOURNAL_URL" in said) == (1, True)
