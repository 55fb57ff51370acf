"""Pipeline: one run is one attempt at one task, stage by stage."""

from collections.abc import Sequence
from functools import partial
from typing import cast

from ray.serve.handle import DeploymentHandle

from deployments import task_logging
from deployments.tasks.attempt import Outcome, attempt
from deployments.tasks.batches import Answers, Batches
from deployments.tasks.operations import Stage
from deployments.tasks.work import Work
from deployments.worker import Worker


class Pipeline(Worker):
    """Walks an operation's stages, and tells TaskStatus which one begins."""

    def __init__(self, **stages: DeploymentHandle[object]) -> None:
        super().__init__()
        self._stages = {stage: _batches(stages, stage) for stage in Stage}

    async def run(self, works: Sequence[Work]) -> Answers[Outcome]:
        """See `attempt`; an attempt that raises was lost with a process."""
        async for answers in self.runs.together(works, self._attempt):
            yield answers

    async def _attempt(self, work: Work) -> Outcome:
        enter = partial(self.status.advance, work.task_id, work.attempt)
        with task_logging.task_context(work.task_id):
            return await attempt(work, enter, self._call)

    async def _call(self, stage: Stage, work: Work) -> Outcome:
        return await self._stages[stage].ask(work)


def _batches(stages: dict[str, DeploymentHandle[object]], stage: Stage) -> Batches[Work, Outcome]:
    deployment, _, method = stage.partition(".")
    verb = getattr(stages[deployment].options(stream=True), method)

    def send(works: Sequence[Work]) -> Answers[Outcome]:
        return cast(Answers[Outcome], verb.remote(works))

    return Batches(send, size=lambda work: work.size)
