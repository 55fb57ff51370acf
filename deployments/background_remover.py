"""BackgroundRemover: the person alone, everything else transparent."""

import asyncio

from deployments.engines.base import Verb
from deployments.errors import EngineError, InvalidImage
from deployments.media.picture import Picture
from deployments.media.results import cut_out_result
from deployments.runtime.stage import EngineStage, StepContext
from deployments.tasks.work import AvatarJob, Work


class BackgroundRemover(EngineStage):
    """A thin shell around the engines' `cut_out`."""

    verb = Verb.CUT_OUT

    async def run(self, work: Work, run: StepContext) -> Work:
        """The work with a transparent PNG: an avatar's in the asked ratio, an overlay's person in its own size.

        Raises:
            NoPersonFound: there is nobody to cut out.
            EngineError: the engine's own portrait is no picture.
            TaskFailed: whatever else the engine says.
        """
        ratio = work.job.ratio if isinstance(work.job, AvatarJob) else None
        async with run.ahead([work.needed_picture()]) as (person,):
            try:
                making = await self.making(run, lambda engine, call: engine.cut_out(person, call))
            except InvalidImage as error:
                if ratio is None:
                    raise  # the caller's own person image
                raise EngineError("The image model returned something that is no usable picture; try again.") from error
            data = await run.bytes_of(making.made.picture)
            if ratio is not None:
                work = work.made_of(*await run.marked("portrait", person))
        picture = await asyncio.to_thread(cut_out_result, data, ratio, self.limits)
        changed = making.made.picture != person
        if changed:
            work = work.made_of(*await run.marked("cut-out", Picture(data=data)))
        noted = self.noting(work, making, changed=changed)
        return noted.carrying(Picture(data=picture), opaque=False)
