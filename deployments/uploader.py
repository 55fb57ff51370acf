"""Uploader: the result, put where the caller asked."""

from deployments.media.upload import upload
from deployments.stage import Stage, verb
from deployments.tasks.work import Work


class Uploader(Stage):
    """PUTs the finished picture to the caller's pre-signed URL."""

    @verb
    async def run(self, work: Work) -> Work:
        """The work without its picture, once the upload has been acknowledged.

        Raises:
            UploadFailed, UploadUrlExpired: nobody took it.
        """
        data = await self.bytes_of(work.needed_picture())
        await upload(self.egress, work.job.write_url, data, deadline=self.settings.deadlines.stage_s)
        return work.delivered()
