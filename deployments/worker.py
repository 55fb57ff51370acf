"""What the pipeline and the stages have in common: works in hand, which can be called off and are counted."""

import asyncio
import logging

from ray import serve

from deployments import task_logging
from deployments.scaling import WORKS
from deployments.task_status_client import TaskStatusClient
from deployments.tasks.runs import Runs


class Worker:
    """One replica that works come to, many in a message."""

    def __init__(self) -> None:
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
