"""Pipeline: one run is one attempt at one task, stage by stage."""

from functools import partial

from ray import serve
from ray.serve.handle import DeploymentHandle

from deployments import task_logging
from deployments.task_status_client import TaskStatusClient
from deployments.tasks.attempt import Outcome, attempt
from deployments.tasks.operations import Stage
from deployments.tasks.work import Work


class Pipeline:
    """Walks an operation's stages, and tells TaskStatus which one begins."""

    def __init__(self, **stages: DeploymentHandle[object]) -> None:
        task_logging.install()
        self._stages = stages
        self._status = TaskStatusClient(serve.get_replica_context().app_name)

    async def run(self, work: Work) -> Outcome:
        """See `attempt`: what this raises was lost with a process."""
        enter = partial(self._status.advance, work.task_id, work.attempt)
        with task_logging.task_context(work.task_id):
            return await attempt(work, enter, self._call)

    async def _call(self, stage: Stage, work: Work) -> Outcome:
        deployment, _, method = stage.partition(".")
        outcome: Outcome = await getattr(self._stages[deployment], method).remote(work)
        return outcome
