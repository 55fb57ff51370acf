"""The openai engine in the whole service: HTTP in, an emulator of OpenAI's images API behind."""

from collections.abc import Iterator

import pytest
from anyio.from_thread import start_blocking_portal

from scripts import cluster
from tests.e2e import pictures
from tests.e2e.credentials import assert_tells_nothing, ingredients, said_by
from tests.e2e.service import Service
from tests.fal_emulator.http import serving
from tests.openai_emulator.emulator import KEY, OpenAIEmulator
from tests.running import RunningService
from tests.sinks.object_store import ObjectStoreSink

MODEL, CUTTER = "gpt-image-2", "gpt-image-2.5-flare"


@pytest.fixture(scope="module")
def service(sink: ObjectStoreSink, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(serving(OpenAIEmulator().handle, None)) as port,
    ):
        models = dict.fromkeys(("portrait", "background", "blend"), MODEL) | {"cut_out": CUTTER}
        settings = {
            "engine": "openai",
            "engine_options": {"base_url": f"http://127.0.0.1:{port}/v1", "models": models},
        }
        environment = {"OPENAI_API_KEY": KEY, "AIGE_ALLOW_HOSTS": sink.host}
        run = RunningService(tmp_path_factory.mktemp("openai"), settings, environment)
        try:
            run.start()
            yield Service(run.client, sink, cluster.temp_dir(run.data))
        finally:
            run.close()


@pytest.fixture(scope="module", autouse=True)
def slow() -> dict[str, str]:
    """In place of the other service's, which need not run here."""
    return {}


def test_every_operation_is_a_generative_model_s(service: Service) -> None:
    """Its pictures say so, and which model made them."""
    secret = "unspeakable words"
    params = {
        "person": service.sink.serve("/openai-person.png", pictures.png(pictures.scene((512, 512)))),
        "background": service.sink.serve("/openai-behind.png", pictures.png(pictures.scene())),
        "position": {"x": 0, "y": 0, "scale": 1},
    }
    tasks = {
        "avatar": service.avatar("/openai-avatar.png", secret),
        "background": service.background("/openai-background.png", secret),
        "overlay": service.overlay("/openai-overlay.png", params, prompt=secret),
    }
    said = {}
    for name, task_id in tasks.items():
        task = service.ended(task_id)
        assert task.status == "done", task.error
        data = service.sink.objects[f"/openai-{name}.png"].body
        assert_tells_nothing(data, task_id, "unspeakable", service.sink.host, KEY)
        said[name] = said_by(service, data)
        assert said[name]["made_by"] == [{"engine": m.engine, "model": m.model} for m in task.made_by]
    assert {name: report["digital_source_type"] for name, report in said.items()} == {
        "avatar": "trainedAlgorithmicMedia",
        "background": "trainedAlgorithmicMedia",
        "overlay": "compositeWithTrainedAlgorithmicMedia",
    }
    assert said["background"]["made_by"] == [{"engine": "openai", "model": MODEL}]
    assert ingredients(said["overlay"]) == [("background", False, None), ("person", False, None)]
