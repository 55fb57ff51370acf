"""AvatarGenerator: a portrait of the person in the photos."""

from deployments.engines.base import Verb
from deployments.media.fetch_ahead import plain
from deployments.runtime.stage import EngineStage, StepContext
from deployments.tasks.work import AvatarJob, Work


class AvatarGenerator(EngineStage):
    """A thin shell around the engines' `portrait`."""

    verb = Verb.PORTRAIT

    async def run(self, work: Work, run: StepContext) -> Work:
        """The work with the portrait, and without the photos.

        Raises:
            TaskFailed: whatever the engine says.
        """
        job = work.job_of(AvatarJob)
        async with run.ahead(job.photos) as photos:
            making = await self.making(run, lambda engine, call: engine.portrait(job.prompt, photos, job.ratio, call))
            titled = {f"photo {number}": photo for number, photo in enumerate(photos, start=1)}
            work = work.made_of(*await run.ingredients(titled, "inputTo"))
        return self.noting(work, making).without_photos().carrying(plain(making.made.picture), opaque=False)
