"""What one call costs, and that it ends in time, whatever fal does."""

import pytest

from deployments.engines.fal.engine import FalEngine
from deployments.engines.memory_call import MemoryCall
from deployments.media.egress import Egress
from deployments.media.sizes import AspectRatio
from tests.engines.fal.failing import as_a_stage_does, failure_of, hangs
from tests.engines.fal.making import MakeEngine, soon
from tests.fal_emulator.emulator import FalEmulator, Kind
from tests.fal_emulator.http import Answer


@pytest.mark.parametrize(("header", "units"), [("2.25", 2.25), ("", None), ("nan", None), ("many", None)])
async def test_the_bill(header: str, units: float | None, fal: FalEmulator, engine: FalEngine) -> None:
    """What fal bills is passed on; where it does not say so in a number, it is not made up."""
    fal.outcome = Answer(200, {"images": [{"url": "https://v3.fal.media/x"}]}, {"X-Fal-Billable-Units": header})
    made = await engine.background("hills", AspectRatio.SQUARE, MemoryCall())
    assert made.cost is not None
    assert made.cost.units == units


@pytest.mark.parametrize("kind", ["status", "result"])
async def test_out_of_time(kind: Kind, fal: FalEmulator, make_engine: MakeEngine, egress: Egress) -> None:
    """A call that hangs ends with our own deadline, and fal is told to stop."""
    fal.script(kind, hangs)
    failure = await failure_of(as_a_stage_does(make_engine(deadline_s=0.3), egress, MemoryCall()))
    assert str(failure) == "The image model was not done within 0.3 s: try again later."
    assert failure.code == "engine_timeout"
    await soon(fal.cancel_asked)
    assert fal.posts == 1


async def test_never_done(fal: FalEmulator, make_engine: MakeEngine, egress: Egress) -> None:
    """A request that waits in fal's queue for ever ends with our own deadline, and is cancelled there."""
    fal.queue_s = 1e9
    failure = await failure_of(as_a_stage_does(make_engine(deadline_s=0.3), egress, MemoryCall()))
    assert failure.code == "engine_timeout"
    await soon(fal.cancel_asked)
