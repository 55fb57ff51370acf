"""What is to be reached, as the project has set it for itself. Ours against a peer's figure, or against a number."""

from typing import NamedTuple

from benchmarks.results import Medians


class Goal(NamedTuple):
    """`ours >= bound * theirs` (or `<=` for what should be small); without a peer, `theirs` is 1."""

    figure: str
    bound: float
    peer: str | None = None
    at_most: bool = False

    def reached(self, medians: Medians, ours: str) -> bool | None:
        """None where one of the two was not measured."""
        measured = medians.get(self.figure, {})
        theirs = measured.get(self.peer) if self.peer else 1
        if ours not in measured or theirs is None:
            return None
        limit = self.bound * theirs
        return measured[ours] <= limit if self.at_most else measured[ours] >= limit

    def __str__(self) -> str:
        sign, peer = "≤" if self.at_most else "≥", f" × {self.peer}" if self.peer else ""
        return f"{sign} {self.bound:,g}{peer}"


GOALS = (
    Goal("status_reads_per_s_32", 3, "celery_redis"),
    Goal("status_reads_per_s_32", 3, "bentoml_tasks"),
    Goal("status_reads_per_s_32", 0.7, "fastapi_dict"),
    Goal("status_p99_ms_512", 2, "fastapi_dict", at_most=True),
    Goal("completed_per_s", 4, "dbos_sqlite"),
    Goal("completed_per_s", 1.1, "celery_redis"),
    Goal("accept_completed_meanwhile_per_s", 1.3, "celery_redis"),
    Goal("cpu_ms_per_task", 1, "celery_redis", at_most=True),
    Goal("accepted_per_s", 1, "bentoml_tasks"),
    Goal("accepted_per_s", 1, "celery_redis"),
    Goal("latency_p50_ms", 15, at_most=True),
    Goal("start_s", 10, at_most=True),
    Goal("memory_at_rest_mb", 1_350, at_most=True),
    Goal("in_flight_10000_done", 10_000),
    Goal("in_flight_10000_memory_kb_per_task", 30, at_most=True),
    Goal("in_flight_cpu_growth", 1.2, at_most=True),
    Goal("in_flight_10000_status_p99_ms", 100, at_most=True),
    Goal("streams_served", 5_000),
    Goal("streams_delay_p99_s", 1, at_most=True),
    Goal("overlay_1024x576_ms", 1.1, "pillow", at_most=True),
)
