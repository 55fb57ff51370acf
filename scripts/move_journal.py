"""`make export-journal` and `make import-journal`: all tasks of a journal, to a file, and from there to an empty one.

    python -m scripts.move_journal export FILE
    python -m scripts.move_journal import FILE

The journal is the one that `serve_config.yaml` (or the file in `AIGE_CONFIG`) and the environment name. The service
must not run meanwhile. The file has one line of JSON for each task. It holds prompts, photos and signed URLs: only its
owner can read it. Exit status: 0, or 1 with one line that says why not.
"""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import TextIO

from deployments.errors import AigeError
from deployments.settings import ROOT, Environment, Settings
from deployments.tasks.entry import Entry
from deployments.tasks.journal import ENTRY, SCHEMA, WORK, Journal, JournalBroken
from deployments.tasks.open_journal import open_journal
from deployments.tasks.work import Work

APP = "aige"
LEASE_S = 60
"""Longer than any pause between two writes here; released at the end."""


class CannotMove(AigeError):
    """Why nothing was moved; for the operator."""


def main() -> int:
    """Moves what the command line says."""
    match sys.argv[1:]:
        case ["export" | "import" as action, file]:
            pass
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    try:
        print(asyncio.run(_moved(action, Path(file))))
    except (AigeError, OSError) as error:
        print(f"The journal was not moved: {error}", file=sys.stderr)
        return 1
    return 0


async def _moved(action: str, file: Path) -> str:
    settings, environment = Settings.load(_config()), Environment()
    journal = open_journal(environment.journal(settings), environment.aige_data_dir, APP)
    try:
        hold = await journal.take(f"{APP}-{action}", LEASE_S)
        if not hold.is_mine:
            raise CannotMove("a running service has it: stop that first")
        try:
            return await _export(journal, file) if action == "export" else await _import(journal, file)
        finally:
            await journal.release()
    finally:
        await journal.close()


async def _export(journal: Journal, file: Path) -> str:
    mine_alone = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(mine_alone, "w", encoding="utf-8") as out:
        return f"{await exported(journal, out)} tasks are in {file}. It holds prompts and photos: remove it afterwards."


async def _import(journal: Journal, file: Path) -> str:
    with file.open(encoding="utf-8") as lines:
        return f"{await imported(journal, lines)} tasks are in the journal."


def _config() -> Path:
    return Path(os.environ.get("AIGE_CONFIG", ROOT / "serve_config.yaml"))


async def exported(journal: Journal, out: TextIO) -> int:
    """Writes all tasks to `out`, a line each after one that names the schema; returns how many.

    Raises:
        JournalBroken: the journal cannot be read.
    """
    out.write(json.dumps({"aige_journal": SCHEMA}) + "\n")
    number = 0
    async for entry, work in _tasks(journal):
        kept = WORK.dump_json(work).decode() if work else "null"
        out.write(f'{{"entry":{ENTRY.dump_json(entry).decode()},"work":{kept}}}\n')
        number += 1
    return number


async def imported(journal: Journal, lines: Iterable[str]) -> int:
    """Writes the tasks of `exported` to an empty journal; returns how many.

    Raises:
        CannotMove: the journal holds tasks, or the lines are of another schema, or no export at all.
        JournalBroken: the journal cannot be written.
    """
    async for entry, _ in _tasks(journal):
        raise CannotMove(f"it is not empty: it holds the task {entry.task.id}")
    each = iter(lines)
    header = json.loads(next(each, "null"))
    if not isinstance(header, dict) or header.get("aige_journal") != SCHEMA:
        raise CannotMove(f"the file is no export of a journal of schema {SCHEMA}")
    number = 0
    for line in each:
        task = json.loads(line)
        work = None if task["work"] is None else WORK.validate_json(json.dumps(task["work"]))
        await journal.write(ENTRY.validate_json(json.dumps(task["entry"])), work)
        number += 1
    return number


async def _tasks(journal: Journal) -> AsyncIterator[tuple[Entry, Work | None]]:
    for kept in await journal.unfinished():
        work = await journal.read_work(kept.entry.task.id)
        if work is None:
            raise JournalBroken(f"the journal holds no work of the task {kept.entry.task.id}")
        yield kept.entry, work
    async for portion in journal.ended():
        for entry in portion:
            yield entry, None


if __name__ == "__main__":
    sys.exit(main())
