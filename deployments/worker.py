"""What the pipeline and the stages have in common: works in hand, which can be called off and are counted."""

import asyncio
import logging
import os

from ray import serve

from deployments import task_logging
from deployments.scaling import WORKS
from deployments.task_status_client import TaskStatusClient
from deployments.tasks.runs import Runs

NICENESS = 4
"""What works yields to what answers (Ingress, TaskStatus): where the cores are few, a caller must not wait for others'
pictures. On two of them, a change then reaches 5,000 open event streams within 0.8 s (p99), and without it in 3.8 s.

Ray starts all its workers at 15; 19 is the most. On Linux it counts for the calling thread, the one that works run on,
and for those that it starts.
"""


class Worker:
    """One replica that works come to, many in a message."""

    def __init__(self) -> None:
        os.nice(NICENESS)
        task_logging.install()
        self.status = TaskStatusClient(serve.get_replica_context().app_name)
        self.runs = Runs(self.status)
        self._background = [
            asyncio.ensure_future(self.runs.follow()),
            asyncio.ensure_future(task_logging.write_each_second(logging.getLogger("ray.serve"))),
        ]

    async def record_autoscaling_stats(self) -> dict[str, float]:
        """See `deployments.scaling`."""
        return {WORKS: len(self.runs)}
