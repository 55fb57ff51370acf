"""What was measured: every value in `results/NAME.json`, medians in `results/latest.json`, a table in `table.md`."""

import json
import os
import platform
import re
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import psutil

RESULTS = Path(__file__).parent / "results"

Values = dict[str, dict[str, list[float]]]
"""Figure -> system -> one value a round."""

Medians = dict[str, dict[str, float]]


class Results:
    """Collects the values of one run; each figure group (`status`, `accept`, …) has a file of its own in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._groups: dict[str, Values] = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))

    def add(self, group: str, system: str, figures: dict[str, float]) -> None:
        for figure, value in figures.items():
            self._groups[group][figure][system].append(round(value, 4))

    def write(self, rounds: int, seconds: float) -> Medians:
        """Writes what there is; figures that this run did not measure stay as they are in `latest.json`."""
        self._folder.mkdir(parents=True, exist_ok=True)
        latest = self._read_latest()
        for group, values in self._groups.items():
            run = {"measured": _where_and_when(), "rounds": rounds, "seconds": seconds, "values": values}
            _write(self._folder / f"{group}.json", run)
            for figure, systems in values.items():
                shown = latest.setdefault(figure, {})
                shown |= {system: round(median(several), 3) for system, several in systems.items()}
        _write(self._folder / "latest.json", latest)
        return latest

    def _read_latest(self) -> Medians:
        file = self._folder / "latest.json"
        medians: Medians = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        return medians


def _write(file: Path, content: object) -> None:
    file.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _where_and_when() -> dict[str, object]:
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30),
        "python": platform.python_version(),
        "kernel": re.split(r"[^0-9.]", platform.release())[0],  # 6.1.0 of 6.1.0-44-amd64
        "load_average": [round(load, 2) for load in os.getloadavg()],
    }
