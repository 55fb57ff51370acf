"""BackgroundGenerator: a scene from the prompt."""

import asyncio

from deployments.media.picture import Picture
from deployments.media.results import opaque_result
from deployments.stage import EngineStage, verb
from deployments.tasks.work import BackgroundJob, Work


class BackgroundGenerator(EngineStage):
    """A thin shell around the engine's `background`."""

    @verb
    async def run(self, work: Work) -> Work:
        """The work with an opaque PNG in the asked ratio.

        Raises:
            TaskFailed: whatever the engine says.
        """
        job = work.job_of(BackgroundJob)
        made = await self.engine.background(job.prompt, job.ratio, self.paid_call(work))
        data = await self.bytes_of(made.picture)
        picture = await asyncio.to_thread(opaque_result, data, job.ratio, self.limits)
        return self.noting(work, made).carrying(Picture(data=picture), opaque=True)
