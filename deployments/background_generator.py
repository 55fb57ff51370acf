"""BackgroundGenerator: a scene from the prompt."""

import asyncio

from deployments.media.picture import Picture
from deployments.media.results import opaque_result
from deployments.runtime.stage import EngineStage, StageRun
from deployments.tasks.work import BackgroundJob, Work


class BackgroundGenerator(EngineStage):
    """A thin shell around the engine's `background`."""

    async def run(self, work: Work, run: StageRun) -> Work:
        """The work with an opaque PNG in the asked ratio.

        Raises:
            TaskFailed: whatever the engine says.
        """
        job = work.job_of(BackgroundJob)
        made = await self.engine.background(job.prompt, job.ratio, run.paid_call)
        data = await run.bytes_of(made.picture)
        picture = await asyncio.to_thread(opaque_result, data, job.ratio, self.limits)
        return self.noting(work, run, made).carrying(Picture(data=picture), opaque=True)
