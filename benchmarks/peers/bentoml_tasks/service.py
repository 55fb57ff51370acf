"""https://docs.bentoml.com/en/latest/get-started/async-task-queues.html"""

import bentoml

from benchmarks.peers.work import generate, remove_background, upload


@bentoml.service(traffic={"timeout": 600, "concurrency": 10_000})
class Avatars:
    @bentoml.task
    async def avatar(  # noqa: PLR0913, PLR0917 - the request has these six
        self,
        prompt: str,
        source_images: list[str],
        avatar_id: str,
        writeUrl: str,  # noqa: N803 - as the API has it
        readUrl: str,  # noqa: N803
        aspect_ratio: str = "1:1",
    ) -> str:
        picture = await generate(prompt)
        picture = await remove_background(picture)
        await upload(writeUrl, picture)
        return readUrl
