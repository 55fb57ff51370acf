"""All three operations through the whole service, once with each model of the table; the service is deployed anew each
time. Not a test of the suite: it takes some minutes.

    python -m tests.fal_emulator.every_model

Exit status: 0 if all tasks ended in `done`, asked the models that were configured, and asked each once.
"""

import sys
import tempfile
from collections import Counter
from itertools import cycle
from pathlib import Path

from deployments.engines.fal.models import MODELS, Model
from scripts import cluster
from tests.e2e import pictures
from tests.e2e.service import Service
from tests.fal_emulator.emulator import FalEmulator
from tests.fal_emulator.models import marked
from tests.fal_emulator.network import environment_of
from tests.running import RunningService
from tests.sinks.object_store import serving


def main() -> int:
    """Goes through the table, and says what was done."""
    editors = [one for one in MODELS.values() if one.images != "none" and one.output == "images.0.url"]
    painters = [one for one in MODELS.values() if one.images == "none"]
    removers = [one for one in MODELS.values() if one.output == "image.url"]
    fal, asked = FalEmulator(queue_s=0.2, run_s=0.2), Counter[str]()
    with tempfile.TemporaryDirectory() as folder, serving() as sink, environment_of(fal, Path(folder)) as environment:
        environment["AIGE_ALLOW_HOSTS"] += f",{sink.host}"
        run = RunningService(Path(folder), {"engine": "fal"}, environment)
        service = Service(run.client, sink, cluster.temp_dir(run.data))
        try:
            run.start()
            for editor, painter, remover in zip(editors, cycle(painters), cycle(removers), strict=False):
                asked += _with_these(run, service, editor, painter, remover)
        finally:
            run.close()
    submitted = Counter(request.endpoint for request in fal.requests.values())
    wanted = {model.endpoint for model in (*editors, *painters, *removers)}
    print(f"{len(wanted)} models asked {asked.total()} times, each as configured; submitted {submitted.total()} times")
    return 0 if asked == submitted and wanted == MODELS.keys() == asked.keys() else 1


def _with_these(run: RunningService, service: Service, editor: Model, painter: Model, remover: Model) -> Counter[str]:
    """The models that three tasks say they have paid for."""
    models = {"portrait": editor, "background": painter, "cut_out": remover, "blend": editor}
    run.deploy(engine_options={"models": {verb: model.endpoint for verb, model in models.items()}})
    run.until_deployed()
    params = {
        "person": service.sink.serve("/person.png", marked("a person", (300, 200))),
        "background": service.sink.serve("/behind.png", pictures.png(pictures.scene())),
        "position": {"x": 300, "y": -20.5, "scale": 2.5},
    }
    tasks = [
        service.avatar("/avatar.png", "a pilot", aspect_ratio="3:4"),
        service.background("/background.png", "hills", aspect_ratio="16:9"),
        service.overlay("/overlay.png", params, prompt="at dusk", aspect_ratio="landscape_16_9"),
    ]
    paid = Counter[str]()
    for task, expected in zip(tasks, ([editor, remover], [painter], [remover, editor]), strict=True):
        ended = service.ended(task)
        charged = [charge.model for charge in ended.cost]
        print(f"{ended.operation}: {ended.status}, {', '.join(charged)} {ended.error or ''}", flush=True)
        assert ended.status == "done"
        assert charged == [model.endpoint for model in expected]
        paid.update(charged)
    return paid


if __name__ == "__main__":
    sys.exit(main())
