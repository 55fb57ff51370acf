"""Overlayer: a person on a background, to the pixel."""

import asyncio
from functools import partial

from deployments.media.picture import Picture
from deployments.media.results import blended_result, has_no_transparency, overlay_result
from deployments.stage import EngineStage, verb
from deployments.tasks.work import OverlayJob, Work


class Overlayer(EngineStage):
    """Composes exactly; then, where the engine blends, has it bind the two by light and shadow."""

    @verb
    async def open_person(self, work: Work) -> Work:
        """The work with the person image, checked, and whether it still has its background.

        Raises:
            FetchFailed, InvalidImage: it cannot be had, or is no picture.
        """
        person = await self.bytes_of(work.job_of(OverlayJob).person)
        opaque = await asyncio.to_thread(has_no_transparency, person, self.limits)
        return work.carrying(Picture(data=person), opaque=opaque)

    @verb
    async def run(self, work: Work) -> Work:
        """The work with an opaque PNG of exactly the canvas's pixels.

        Raises:
            FetchFailed, InvalidImage: the background cannot be had, or is no picture.
        """
        job = work.job_of(OverlayJob)
        person = await self.bytes_of(work.needed_picture())
        background = await self.bytes_of(job.background)
        canvas = job.canvas.pixels
        place = partial(overlay_result, size=canvas, x=job.x, y=job.y, scale=job.scale, limits=self.limits)
        work = work.carrying(Picture(data=await asyncio.to_thread(place, background, person)), opaque=True)
        return await self._blended(work) if self.engine.blends else work

    async def _blended(self, work: Work) -> Work:
        job = work.job_of(OverlayJob)
        made = await self.engine.blend(job.prompt, work.needed_picture(), self.paid_call(work))
        data = await self.bytes_of(made.picture)
        picture = await asyncio.to_thread(blended_result, data, job.canvas.pixels, self.limits)
        return self.noting(work, made).carrying(Picture(data=picture), opaque=True)
