"""The medians as Markdown: each figure of every system, and what of the goals is reached."""

from collections.abc import Iterator

from benchmarks.goals import GOALS
from benchmarks.results import Medians

OURS = (
    "aige_production",
    "aige_laptop",
    "aige",
    "aige_production_unmarked",
    "aige_laptop_unmarked",
    "aige_production_callers",
    "aige_laptop_callers",
)


def as_markdown(medians: Medians) -> str:
    """Two tables."""
    return "\n".join([*_goals(medians), "", *_figures(medians)]) + "\n"


def _goals(medians: Medians) -> Iterator[str]:
    """Goals hold for the production profile; where that was not measured, what was is shown."""
    yield from _head("figure", "ours", "value", "goal", "peer's value", "ratio", "reached")
    for goal in GOALS:
        measured = medians.get(goal.figure, {})
        ours = next((name for name in OURS if name in measured), None)
        if ours is None:
            continue
        theirs = measured.get(goal.peer) if goal.peer else None
        ratio = f"{measured[ours] / theirs:.2f}" if theirs else ""
        reached = {True: "yes", False: "**no**", None: "?"}[goal.reached(medians, ours)]
        yield _row(goal.figure, ours, _number(measured[ours]), str(goal), _number(theirs), ratio, reached)


def _figures(medians: Medians) -> Iterator[str]:
    """In brackets, ours as a multiple of theirs."""
    systems = list(dict.fromkeys(system for measured in medians.values() for system in measured))
    columns = [name for name in OURS if name in systems] + [name for name in systems if name not in OURS]
    yield from _head("figure", *columns)
    for figure, measured in medians.items():
        ours = next((measured[name] for name in OURS if name in measured), None)
        yield _row(figure, *(_cell(measured.get(name), None if name in OURS else ours) for name in columns))


def _cell(value: float | None, ours: float | None) -> str:
    return f"{_number(value)} ({ours / value:.2g}×)" if value and ours is not None else _number(value)


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _head(*names: str) -> Iterator[str]:
    yield _row(*names)
    yield _row(*("---" for _ in names))


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
