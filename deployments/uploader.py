"""Uploader: the result, put where the caller asked."""

from deployments.media.upload import upload
from deployments.runtime.stage import Stage, StepContext
from deployments.tasks.work import Work


class Uploader(Stage):
    """PUTs the finished picture to the caller's pre-signed URL."""

    async def run(self, work: Work, run: StepContext) -> Work:
        """The work without its picture, once the upload has been acknowledged.

        Raises:
            UploadFailed, UploadUrlExpired: nobody took it.
        """
        data = await run.bytes_of(work.needed_picture())
        job = work.job
        await upload(self.egress, job.write_url, data, read_url=job.read_url, deadline=run.seconds_left)
        return work.delivered()
