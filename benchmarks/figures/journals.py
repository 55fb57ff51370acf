"""Completed tasks a second with the journal on a server, to stand beside those with SQLite (`complete`)."""

from benchmarks.figures import complete
from benchmarks.sink import Sink
from benchmarks.system import started
from benchmarks.systems import Aige

JOURNALS = ("redis", "postgresql")


async def measure(profile: str, seconds: float) -> dict[str, dict[str, float]]:
    """Figures by name, then by system."""
    figures: dict[str, dict[str, float]] = {}
    for journal in JOURNALS:
        system = Aige(profile, f"_{journal}", journal=journal)
        async with Sink() as sink, started(system, sink) as running:
            for figure, value in (await complete.measure(running, seconds)).items():
                figures.setdefault(figure, {})[system.name] = value
    return figures
