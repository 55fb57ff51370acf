"""Pipeline: one run is one attempt at one task, stage by stage."""

from ray import serve
from ray.serve.handle import DeploymentHandle

from deployments import task_logging
from deployments.task_status import TaskStatusClient
from deployments.tasks.operations import OPERATIONS, Stage
from deployments.tasks.record import Failure
from deployments.tasks.work import Work


class Pipeline:
    """Walks an operation's stages, and tells TaskStatus which one begins."""

    def __init__(self, **stages: DeploymentHandle[object]) -> None:
        task_logging.install()
        self._stages = stages
        self._status = TaskStatusClient(serve.get_replica_context().app_name)

    async def run(self, work: Work, attempt: int) -> Work | Failure:
        """Runs the stages until one fails or all are done.

        Raises whatever tells that a stage's process was lost: the attempt is lost with it, the task is not.
        """
        with task_logging.task_context(work.task_id):
            for step in OPERATIONS[work.job.operation]:
                if not step.when(work):
                    continue
                await self._status.advance(work.task_id, attempt, step.status)
                outcome = await self._call(step.stage, work)
                if isinstance(outcome, Failure):
                    return outcome
                work = outcome
            return work

    async def _call(self, stage: Stage, work: Work) -> Work | Failure:
        deployment, _, method = stage.partition(".")
        outcome: Work | Failure = await getattr(self._stages[deployment], method).remote(work)
        return outcome
