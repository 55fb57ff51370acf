"""Pipeline: one run is one attempt at one task, stage by stage."""

from dataclasses import replace

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

    async def run(self, work: Work) -> Work | Failure:
        """Runs the stages that are not done yet, until one fails or all are done.

        Each stage begins with one report: its status, and what the stages before it have done, which is thereby safe.
        Raises whatever tells that a process was lost: the attempt is lost with it, the task is not.
        """
        with task_logging.task_context(work.task_id):
            finished = None
            for place, step in enumerate(OPERATIONS[work.job.operation]):
                if place < work.done or not step.when(work):
                    continue
                await self._status.advance(work.task_id, work.attempt, step.status, finished)
                outcome = await self._call(step.stage, work)
                if isinstance(outcome, Failure):
                    return outcome
                work = finished = replace(outcome, done=place + 1)
            return work

    async def _call(self, stage: Stage, work: Work) -> Work | Failure:
        deployment, _, method = stage.partition(".")
        outcome: Work | Failure = await getattr(self._stages[deployment], method).remote(work)
        return outcome
