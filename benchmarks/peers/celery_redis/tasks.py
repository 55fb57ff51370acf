"""https://docs.celeryq.dev/en/stable/userguide/tasks.html: one task with a custom state for each stage.

`acks_late` and `reject_on_worker_lost` are what its documentation gives to tasks that must survive their worker.
"""

import os

from celery import Celery, Task

from benchmarks.peers.work import AvatarRequest, generate_sync, upload_sync

app = Celery("avatars", broker=os.environ["REDIS_URL"], backend=os.environ["REDIS_URL"])
app.conf.task_acks_late = True
app.conf.task_reject_on_worker_lost = True


@app.task(bind=True)
def avatar(self: Task, body: dict[str, object]) -> str:
    request = AvatarRequest.model_validate(body)
    self.update_state(state="processing_avatar_model")
    picture = generate_sync(request.prompt)
    self.update_state(state="processing_background_removal")
    self.update_state(state="uploading_image")
    upload_sync(request.writeUrl, picture)
    return request.readUrl
