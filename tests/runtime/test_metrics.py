"""Metrics: each is documented as Prometheus shows it, and counting breaks nothing."""

import ast
import re
from pathlib import Path

from deployments.runtime import metrics

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| `ray_(?P<name>aige_\w+)(?:\{(?P<tags>[\w,]+)\})?` \|", re.MULTILINE)


def documented() -> dict[str, tuple[str, ...]]:
    """The table of the page for operators: the tags of each metric, by its name."""
    page = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    return {row["name"]: tuple((row["tags"] or "").split(",")) if row["tags"] else () for row in ROW.finditer(page)}


def test_the_table_of_metrics_is_that_of_the_code() -> None:
    """No name and no tag more or less, in either."""
    assert documented() == {metric.name: metric.tags for metric in metrics.METRICS}


def test_every_metric_is_declared_in_one_place() -> None:
    """Where the table is compared with it: no other module opens metrics of Ray's or Serve's."""
    using = []
    for file in (ROOT / "deployments").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module in {"ray.serve", "ray.util"}:
                using += [file.name for alias in node.names if alias.name == "metrics"]
    assert using == ["metrics.py"]


def test_names_are_as_prometheus_wants_them() -> None:
    """A counter ends in `_total`, and what is measured in seconds says so."""
    for metric in metrics.METRICS:
        assert metric.name.endswith("_total") is isinstance(metric, metrics.Counter), metric.name
        assert metric.name.endswith("_seconds") or not isinstance(metric, metrics.Histogram), metric.name
        assert metric.description.endswith("."), metric.name


def test_counting_nothing_is_no_error() -> None:
    """Ray refuses to add nothing; a provider that does not say what it bills must not end a task that it did."""
    counter = metrics.BILLED.opened()
    counter.add(0, step="s", engine="e", model="m")
    counter.add(0.5, step="s", engine="e", model="m")
