"""AvatarGenerator: a portrait of the person in the photos."""

from deployments.stage import EngineStage, verb
from deployments.tasks.work import AvatarJob, Work


class AvatarGenerator(EngineStage):
    """A thin shell around the engine's `portrait`."""

    @verb
    async def run(self, work: Work) -> Work:
        """The work with the portrait, and without the photos.

        Raises:
            TaskFailed: whatever the engine says.
        """
        job = work.job_of(AvatarJob)
        made = await self.engine.portrait(job.prompt, job.photos, job.ratio, self.paid_call(work))
        return self.noting(work, made).without_photos().carrying(made.picture, opaque=False)
