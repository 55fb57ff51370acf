"""`make export-journal` and `make import-journal`: from a journal to a file, and from the file to an empty journal.

    python -m scripts.move_journal export FILE [--config CONFIG]
    python -m scripts.move_journal import FILE [--config CONFIG]

CONFIG (by default `serve_config.yaml`) and the environment name the journal. The service must not run meanwhile. The
file has one line of JSON for each task. Its first line names the schema, and its last line counts the tasks.
It holds prompts, photos and signed URLs: only its owner can read it.

Nothing is moved in part. A file without its last line is refused before anything is written. An import that fails
takes back what it has written. A killed import leaves a journal that no service opens (`Journal.set_whole`).

Exit status: 0 if all was moved; 1 with one line that says why not; 2 if the command line is wrong.
"""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from pydantic import TypeAdapter, ValidationError

from deployments.config_file import read_config
from deployments.errors import AigeError
from deployments.settings import SHIPPED_CONFIG, Environment, Settings
from deployments.tasks.entry import Entry
from deployments.tasks.journal import SCHEMA, Journal, JournalBroken
from deployments.tasks.lease import Lease
from deployments.tasks.open_journal import open_journal
from deployments.tasks.work import Work

Sleep = Callable[[float], Awaitable[None]]

TRIES = 20
"""Tries to take the journal, one a second: a service that was killed holds a journal on a server for 15 s."""
MOST = 500
MOST_BYTES = 16_000_000
"""How many tasks, and about how many bytes of their pictures, are written at once."""


class CannotMove(AigeError):
    """Why nothing was moved; for the operator."""


@dataclass(frozen=True)
class Moved:
    """A task as the file has it; `work` is None if it has ended."""

    entry: Entry
    work: Work | None


_MOVED = TypeAdapter(Moved)


def main(arguments: list[str]) -> int:
    """Moves what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m scripts.move_journal", description="Moves a journal.")
    parser.add_argument("action", choices=["export", "import"])
    parser.add_argument("file", type=Path)
    parser.add_argument("--config", type=Path, default=SHIPPED_CONFIG, help="the Serve config file")
    asked = parser.parse_args(arguments)
    try:
        print(asyncio.run(moved(asked.action, asked.file, asked.config, Environment())))
    except (AigeError, OSError) as error:
        print(f"The journal was not moved: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("The journal was not moved: it was interrupted.", file=sys.stderr)
        return 1
    return 0


async def moved(action: str, file: Path, config: Path, environment: Environment, sleep: Sleep = asyncio.sleep) -> str:
    """Exports the journal that `config` and `environment` name to the file, or imports the file. Returns what to print.

    Raises:
        CannotMove, JournalBroken, SettingsError, OSError: why nothing was moved.
    """
    place = environment.journal(Settings.load(config))
    if place == "memory":
        raise CannotMove("`journal: memory` keeps nothing")
    if action == "import":
        _check(file)
    journal = open_journal(place, environment.aige_data_dir, _application(config))
    try:
        lease = Lease(journal, f"{action} of the journal", sleep=sleep)
        await _take(lease, sleep)
        try:
            return await while_held(lease, _export(journal, file) if action == "export" else _import(journal, file))
        finally:
            with suppress(JournalBroken):  # then it runs out by itself
                await lease.release()
    finally:
        await journal.close()


def _application(config: Path) -> str:
    """The application's name in the config file: it tells journals on one server apart. Serve has a default."""
    match read_config(config).get("applications"):
        case [{"name": str(name)}, *_]:
            return name
    return "default"


async def _take(lease: Lease, sleep: Sleep) -> None:
    for seconds in range(TRIES):
        if (await lease.take()).is_mine:
            return
        if seconds == 0:
            print(f"A service has the journal, or had it a moment ago: trying for {TRIES} s.", file=sys.stderr)
        await sleep(1)
    raise CannotMove("a running service has the journal: stop that first")


async def while_held(lease: Lease, moving: Coroutine[None, None, str]) -> str:
    """The result of `moving`. Renews the lease meanwhile; if that is lost or asked for, cancels `moving`."""
    doing, keeping = asyncio.create_task(moving), asyncio.create_task(lease.keep())
    try:
        await asyncio.wait({doing, keeping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        is_done = doing.done()
        for task in (doing, keeping):
            task.cancel()
        await asyncio.gather(doing, keeping, return_exceptions=True)
    if is_done:
        return doing.result()
    raise CannotMove("a service was started meanwhile, or the journal cannot be reached") from keeping.exception()


async def _export(journal: Journal, file: Path) -> str:
    with _new(file) as out:
        number = await exported(journal, out)
    return f"{number} tasks are in {file}. It holds prompts and photos: remove it afterwards."


@contextmanager
def _new(file: Path) -> Iterator[TextIO]:
    """A new file that only its owner can read. Afterwards it is synced to disk, or removed if it was not finished."""
    mine_alone = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(mine_alone, "w", encoding="utf-8") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
    except BaseException:
        file.unlink()
        raise


async def _import(journal: Journal, file: Path) -> str:
    with file.open(encoding="utf-8") as lines:
        return f"{await imported(journal, tasks_in(lines))} tasks are in the journal."


def _check(file: Path) -> None:
    """Reads the whole file.

    Raises:
        CannotMove: it is not a complete export.
    """
    try:
        with file.open(encoding="utf-8") as lines:
            for _ in tasks_in(lines):
                pass
    except UnicodeDecodeError:
        raise CannotMove("the file is no export: it is no text") from None


async def exported(journal: Journal, out: TextIO) -> int:
    """Writes all tasks to `out`; returns how many.

    Raises:
        JournalBroken: the journal cannot be read.
    """
    out.write(json.dumps({"aige_journal": SCHEMA}) + "\n")
    number = 0
    async for task in _tasks(journal):
        out.write(_MOVED.dump_json(task).decode() + "\n")
        number += 1
    out.write(json.dumps({"tasks": number}) + "\n")
    return number


async def imported(journal: Journal, tasks: Iterable[Moved]) -> int:
    """Writes the tasks to an empty journal, all of them or none; returns how many.

    Raises:
        CannotMove: the journal holds tasks.
        JournalBroken: it cannot be written.
    """
    async for task in _tasks(journal):
        raise CannotMove(f"the journal is not empty: it holds the task {task.entry.task.id}")
    written: list[str] = []
    await journal.set_whole(is_whole=False)
    try:
        for portion in _portions(tasks):
            written += [task.entry.task.id for task in portion]
            await _written(journal, portion)
    except BaseException:
        await journal.forget(written)
        await journal.set_whole(is_whole=True)
        raise
    await journal.set_whole(is_whole=True)
    return len(written)


async def _written(journal: Journal, portion: list[Moved]) -> None:
    """Returns or raises only after every write has an outcome: a late one would survive the clean-up."""
    writes = (journal.write(task.entry, task.work) for task in portion)
    for outcome in await asyncio.gather(*writes, return_exceptions=True):
        if outcome is not None:
            raise outcome


def tasks_in(lines: Iterable[str]) -> Iterator[Moved]:
    """The tasks of an export, from its lines.

    Raises:
        CannotMove: they are of another schema, no export at all, or not all of one.
    """
    each = iter(lines)
    if _json(next(each, "")) != {"aige_journal": SCHEMA}:
        raise CannotMove(f"the file is no export of a journal of schema {SCHEMA}")
    number = 0
    for line in each:
        if line.startswith('{"tasks"'):
            if _json(line) != {"tasks": number} or next(each, None) is not None:
                raise CannotMove("the file does not hold as many tasks as it says")
            return
        number += 1
        yield _task(line, number)
    raise CannotMove(f"the file ends after {number} tasks, before its last line: the export was interrupted")


def _json(line: str) -> object:
    try:
        value: object = json.loads(line)
    except ValueError:
        return None
    return value


def _task(line: str, number: int) -> Moved:
    try:
        task = _MOVED.validate_json(line)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise CannotMove(f"line {number + 1} of the file is no task: {first['msg']}") from None
    if task.entry.task.is_ended is not (task.work is None):
        raise CannotMove(f"line {number + 1} of the file is no task: it has no work, or one too many")
    return task


async def _tasks(journal: Journal) -> AsyncIterator[Moved]:
    """All of them: first those that have not ended."""
    for kept in await journal.unfinished():
        work = await journal.read_work(kept.entry.task.id)
        if work is None:
            raise JournalBroken(f"the journal holds no work of the task {kept.entry.task.id}")
        yield Moved(kept.entry, work)
    async for portion in journal.ended():
        for entry in portion:
            yield Moved(entry, None)


def _portions(tasks: Iterable[Moved]) -> Iterator[list[Moved]]:
    """The tasks in portions that are written at once."""
    portion: list[Moved] = []
    size = 0
    for task in tasks:
        portion.append(task)
        size += task.work.size if task.work else 0
        if len(portion) == MOST or size > MOST_BYTES:
            yield portion
            portion, size = [], 0
    if portion:
        yield portion


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
