"""BackgroundRemover: the person alone, everything else transparent."""

import asyncio

from deployments.errors import EngineError, InvalidImage
from deployments.media.picture import Picture
from deployments.media.results import cut_out_result
from deployments.runtime.stage import EngineStage, StageRun
from deployments.tasks.work import AvatarJob, Work


class BackgroundRemover(EngineStage):
    """A thin shell around the engine's `cut_out`."""

    async def run(self, work: Work, run: StageRun) -> Work:
        """The work with a transparent PNG: an avatar's in the asked ratio, an overlay's person in its own size.

        Raises:
            NoPersonFound: there is nobody to cut out.
            EngineError: the engine's own portrait is no picture.
            TaskFailed: whatever else the engine says.
        """
        ratio = work.job.ratio if isinstance(work.job, AvatarJob) else None
        try:
            made = await self.engine.cut_out(work.needed_picture(), run.paid_call)
        except InvalidImage as error:
            if ratio is None:
                raise  # the caller's own person image
            raise EngineError("The image model returned something that is no usable picture; try again.") from error
        data = await run.bytes_of(made.picture)
        picture = await asyncio.to_thread(cut_out_result, data, ratio, self.limits)
        return self.noting(work, run, made).carrying(Picture(data=picture), opaque=False)
