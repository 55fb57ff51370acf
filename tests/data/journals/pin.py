"""Pins what a journal of the present schema holds: `python -m tests.data.journals.pin`."""

import json
from pathlib import Path

from pydantic import JsonValue

from deployments.tasks.journal import ENTRY, SCHEMA, WORK

FILE = Path(__file__).with_name(f"schema-{SCHEMA}-types.json")


def stored_types() -> JsonValue:
    """The JSON schema of what is stored, without what only readers of the code see."""
    return _without_words({"entry": ENTRY.json_schema(), "work": WORK.json_schema()})


def _without_words(value: JsonValue) -> JsonValue:
    if isinstance(value, dict):
        return {name: _without_words(item) for name, item in value.items() if name not in {"description", "title"}}
    if isinstance(value, list):
        return [_without_words(item) for item in value]
    return value


if __name__ == "__main__":
    FILE.write_text(json.dumps(stored_types(), indent=1) + "\n", encoding="utf-8")
