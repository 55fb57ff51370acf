"""The picture of a result, which lies at a URL of fal's: what is wrong with it is never its caller's to mend."""

import pytest

from deployments.engines.fal.engine import FalEngine
from deployments.engines.memory_call import MemoryCall
from deployments.errors import EngineError, TaskFailed
from deployments.media.egress import Egress
from deployments.media.picture import Picture
from deployments.media.sizes import AspectRatio
from tests.engines.fal.failing import HTML, as_a_stage_does, failure_of, model_error, picture_at
from tests.fal_emulator.emulator import FalEmulator, Fault, answers, drops, truncates

FILE_FAULTS: dict[str, Fault] = {
    "truncated": truncates,
    "dropped": drops,
    "expired": answers(403, b"expired"),
    "gone": answers(404, b"gone"),
    "away": answers(503, HTML),
    "a redirect to data": answers(302, b"", Location="data:image/png;base64,AAAA"),
    "compressed": answers(200, b"\x1f\x8b", Content_Encoding="gzip"),
    "an error page": answers(200, HTML, Content_Type="text/html"),
    "half a file": answers(200, b"\x89PNG\r\n\x1a\n and no more", Content_Type="image/png"),
    "wrong type": answers(200, b"GIF89a", Content_Type="image/png"),
    "empty": answers(200, b""),
}


@pytest.mark.parametrize("fault", FILE_FAULTS.values(), ids=FILE_FAULTS.keys())
async def test_result_files(fault: Fault, fal: FalEmulator, engine: FalEngine, egress: Egress) -> None:
    """What a result's URL gives is a whole picture, or the model has failed: its caller never gave that URL."""
    fal.script("file", *[fault] * 200)
    failure = await failure_of(as_a_stage_does(engine, egress, MemoryCall()))
    assert failure.code == "engine_error"
    assert "The image model" in str(failure)
    assert not [word for word in ("fal.media", "://", "link", "could not be loaded:") if word in str(failure)]
    assert fal.posts == 1


@pytest.mark.parametrize("fault", [truncates, drops, answers(503, HTML)])
async def test_a_result_file_that_is_had_later(
    fault: Fault, fal: FalEmulator, engine: FalEngine, egress: Egress
) -> None:
    """It has been paid for: it is asked for again."""
    fal.script("file", *[fault] * 9)
    await as_a_stage_does(engine, egress, MemoryCall())
    assert fal.posts == 1


@pytest.mark.parametrize(
    ("url", "code"),
    [("https://photos.example/me.png", "fetch_failed"), ("https://v3.fal.media/files/portrait.png", "engine_error")],
)
async def test_whose_link_it_was(url: str, code: str, fal: FalEmulator, engine: FalEngine) -> None:
    """That fal cannot open a link is the caller's to mend only if the link is the caller's: a portrait's is not."""
    fal.outcome = model_error(422, "file_download_error", url)
    with pytest.raises(TaskFailed) as caught:
        await engine.cut_out(Picture(url=url, of_engine=code == "engine_error"), MemoryCall())
    assert caught.value.code == code
    assert ".example" not in str(caught.value)
    assert "fal.media" not in str(caught.value)


async def test_a_result_as_data(fal: FalEmulator, engine: FalEngine) -> None:
    """A model that returns its picture inline needs no second fetch."""
    fal.outcome = picture_at("data:image/png;base64,iVBORw0KGgo=")
    made = await engine.background("hills", AspectRatio.SQUARE, MemoryCall())
    assert made.picture == Picture(data=b"\x89PNG\r\n\x1a\n")


@pytest.mark.parametrize("data", ["@@@", "iVBORw0KGgo", "iVBORw0KGgö="])
async def test_a_result_as_data_that_cannot_be_read(fal: FalEmulator, engine: FalEngine, data: str) -> None:
    fal.outcome = picture_at(f"data:image/png;base64,{data}")
    with pytest.raises(EngineError, match="no usable picture"):
        await engine.background("hills", AspectRatio.SQUARE, MemoryCall())
