"""AvatarGenerator: a portrait of the person in the photos."""

from deployments.runtime.stage import EngineStage, StageRun
from deployments.tasks.work import AvatarJob, Work


class AvatarGenerator(EngineStage):
    """A thin shell around the engine's `portrait`."""

    async def run(self, work: Work, run: StageRun) -> Work:
        """The work with the portrait, and without the photos.

        Raises:
            TaskFailed: whatever the engine says.
        """
        job = work.job_of(AvatarJob)
        made = await self.engine.portrait(job.prompt, job.photos, job.ratio, run.paid_call)
        return self.noting(work, run, made).without_photos().carrying(made.picture, opaque=False)
