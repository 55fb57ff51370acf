"""Overlayer: a person on a background, to the pixel."""

import asyncio
from functools import partial

from deployments.engines.base import Verb
from deployments.media.picture import Picture
from deployments.media.results import blended_result, opacity_and_size, overlay_result
from deployments.runtime.stage import EngineStage, StepContext
from deployments.tasks.operations import StepId
from deployments.tasks.work import OverlayJob, Work


class Overlayer(EngineStage):
    """Composes exactly; then, where an engine blends, has it bind the two by light and shadow."""

    verb = Verb.BLEND

    async def run(self, work: Work, run: StepContext) -> Work:
        """An overlay's first step and its main one."""
        if run.step == StepId.OPEN_PERSON:
            return await self._with_person(work, run)
        return await self._with_overlay(work, run)

    async def _with_person(self, work: Work, run: StepContext) -> Work:
        """The work with the person image, checked, and whether it still has its background.

        Raises:
            FetchFailed, InvalidImage: it cannot be had, or is no picture.
        """
        person = await run.bytes_of(work.job_of(OverlayJob).person)
        opaque, size = await asyncio.to_thread(opacity_and_size, person, self.limits)
        picture = Picture(data=person)
        work = work.made_of(*await run.ingredients({"person": picture}, "componentOf"))
        return work.carrying(picture, opaque=opaque).measured(size)

    async def _with_overlay(self, work: Work, run: StepContext) -> Work:
        """The work with an opaque PNG of exactly the canvas's pixels.

        Raises:
            FetchFailed, InvalidImage: the background cannot be had, or is no picture.
        """
        job = work.job_of(OverlayJob)
        person = await run.bytes_of(work.needed_picture())
        background = await run.bytes_of(job.background)
        canvas = job.canvas.pixels
        place = partial(
            overlay_result,
            size=canvas,
            placement=job.placement,
            limits=self.limits,
            person_size=work.person_size,
        )
        work = work.carrying(Picture(data=await asyncio.to_thread(place, background, person)), opaque=True)
        work = work.made_of(*await run.ingredients({"background": Picture(data=background)}, "componentOf"))
        return await self._blended(work, run) if self.chain.has_work(run.paid_calls) else work

    async def _blended(self, work: Work, run: StepContext) -> Work:
        job, composite = work.job_of(OverlayJob), work.needed_picture()
        making = await self.making(run, lambda engine, call: engine.blend(job.prompt, composite, call))
        data = await run.bytes_of(making.made.picture)
        picture = await asyncio.to_thread(blended_result, data, job.canvas.pixels, self.limits)
        changed = making.made.picture != composite
        if changed:
            work = work.made_of(*await run.marked("blend", Picture(data=data)))
        noted = self.noting(work, making, changed=changed)
        return noted.carrying(Picture(data=picture), opaque=True)
