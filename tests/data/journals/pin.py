"""Pins what a journal holds.

`python -m tests.data.journals.pin` pins what this version stores. `python -m tests.data.journals.pin released`, which
is run once with each release, also makes it the version that the next one must understand, and be understood by.
"""

import json
import sys
from pathlib import Path
from typing import Any

from pydantic import JsonValue, TypeAdapter

from deployments.tasks.journal import ENTRY, SCHEMA, WORK

FILE = Path(__file__).with_name(f"schema-{SCHEMA}-types.json")
RELEASED = Path(__file__).with_name("released-types.json")
"""What the version before this one stores: that of commit 2d92d56."""


def stored_types() -> dict[str, JsonValue]:
    """The JSON schema of what is stored, without what only readers of the code see."""
    return {"entry": stored_form(ENTRY), "work": stored_form(WORK)}


def stored_form(adapter: TypeAdapter[Any]) -> JsonValue:
    """The JSON schema of one stored type."""
    return _without_words(adapter.json_schema())


def _without_words(value: JsonValue) -> JsonValue:
    if isinstance(value, dict):
        return {name: _without_words(item) for name, item in value.items() if name not in {"description", "title"}}
    if isinstance(value, list):
        return [_without_words(item) for item in value]
    return value


if __name__ == "__main__":
    for file in (FILE, RELEASED) if sys.argv[1:] == ["released"] else (FILE,):
        file.write_text(json.dumps(stored_types(), indent=1) + "\n", encoding="utf-8")
