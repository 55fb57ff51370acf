"""Pins what a journal of the present schema holds: `python -m tests.data.journals.pin`."""

import json
from pathlib import Path

from deployments.tasks.journal import ENTRY, SCHEMA, WORK

if __name__ == "__main__":
    types = {"entry": ENTRY.json_schema(), "work": WORK.json_schema()}
    file = Path(__file__).with_name(f"schema-{SCHEMA}-types.json")
    file.write_text(json.dumps(types, indent=1) + "\n", encoding="utf-8")
