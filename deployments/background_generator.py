"""BackgroundGenerator: a scene from the prompt."""

import asyncio

from deployments.engines.base import Verb
from deployments.media.picture import Picture
from deployments.media.results import opaque_result
from deployments.runtime.stage import EngineStage, StepContext
from deployments.tasks.work import BackgroundJob, Work


class BackgroundGenerator(EngineStage):
    """A thin shell around the engines' `background`."""

    verb = Verb.BACKGROUND

    async def run(self, work: Work, run: StepContext) -> Work:
        """The work with an opaque PNG in the asked ratio.

        Raises:
            TaskFailed: whatever the engine says.
        """
        job = work.job_of(BackgroundJob)
        making = await self.making(run, lambda engine, call: engine.background(job.prompt, job.ratio, call))
        data = await run.bytes_of(making.made.picture)
        picture = await asyncio.to_thread(opaque_result, data, job.ratio, self.limits)
        noted = self.noting(work, making).made_of(*await run.marked("background", Picture(data=data)))
        return noted.carrying(Picture(data=picture), opaque=True)
