"""What a journal of an older schema becomes. Each step here was written once, with its schema, and stays as it is."""

import json
from collections.abc import Callable
from typing import Any, NamedTuple

_STEP_OF = {  # schema 1 knew a step by the class that did it
    "AvatarGenerator": "generate_avatar",
    "BackgroundGenerator": "generate_background",
    "BackgroundRemover": "remove_background",
    "Overlayer": "overlay",
}
_STEPS = {  # schema 1 counted the steps that were done
    "avatar": ("generate_avatar", "remove_background", "upload"),
    "background": ("generate_background", "upload"),
    "overlay": ("open_person", "remove_background", "overlay", "upload"),
}
_FIRST_ENGINE = "fal"  # schema 2 knew no other engine of ours that pays

Json = dict[str, Any]


class Migration(NamedTuple):
    """From one schema to the next: an entry and a work, as JSON."""

    entry: Callable[[Json], None]
    work: Callable[[Json], None]


def _entry_from_1(entry: Json) -> None:
    entry["paid"] = {_step_of(stage): submit for stage, submit in entry["paid"].items()}
    entry["task"]["charges"] = _charges_from_1(entry["task"]["charges"])


def _work_from_1(work: Json) -> None:
    work["done"] = _STEPS[work["job"]["operation"]][: work["done"]]
    work["charges"] = _charges_from_1(work["charges"])
    del work["attempt"], work["receipts"]


def _charges_from_1(charges: list[list[Any]]) -> list[list[Any]]:
    return [[_step_of(stage), *charge] for stage, *charge in charges]


def _entry_from_2(entry: Json) -> None:
    """Schema 2 kept one submit for each step, and not to which engine: the one that was configured, or else fal."""
    engine = entry["task"]["engine"]
    engine = _FIRST_ENGINE if engine == "local" else engine
    entry["paid"] = {step: _submits_from_2(engine, *submit) for step, submit in entry["paid"].items()}


def _submits_from_2(engine: str, token: str, receipt: str | None = None) -> Json:
    if receipt is None:
        return {engine: [token]}
    if "/requests/" in receipt:
        engine = _FIRST_ENGINE
    return {engine: [token, f"{engine}:{receipt}"]}


def _unchanged(_: Json) -> None:
    pass


def _step_of(stage: str) -> str:
    return _STEP_OF.get(stage, stage)


MIGRATIONS = {1: Migration(_entry_from_1, _work_from_1), 2: Migration(_entry_from_2, _unchanged)}
"""By the schema that they lead away from."""


def migrated_entry(entry: bytes, schema: int) -> bytes:
    """The entry as the present schema has it."""
    return _migrated(entry, [migration.entry for old, migration in sorted(MIGRATIONS.items()) if old >= schema])


def migrated_work(work: bytes, schema: int) -> bytes:
    """The work as the present schema has it."""
    return _migrated(work, [migration.work for old, migration in sorted(MIGRATIONS.items()) if old >= schema])


def _migrated(document: bytes, changes: list[Callable[[Json], None]]) -> bytes:
    """What is no JSON stays as it is: whoever reads it says so."""
    try:
        value = json.loads(document)
    except ValueError:
        return document
    for change in changes:
        change(value)
    return json.dumps(value).encode()
