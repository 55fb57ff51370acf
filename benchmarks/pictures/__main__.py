"""Times the pictures, in a process that has every library: figures by system as JSON, in milliseconds of CPU.

CPU, since that is what pictures cost: it does not depend on what else the machine does, nor on how many threads help.
The argument: for how many seconds each job is repeated.
"""

import io
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import TypeVar

import cv2
import pyvips
from PIL import Image, ImageOps

from benchmarks.pictures import cutout, overlay
from benchmarks.pictures.overlay import Overlay

PHOTO = Path(__file__).parents[2] / "tests" / "data" / "astronaut.jpg"
AT_LEAST = 4
"""How often each is done at least, the first one included."""
CANVASES = {"1024x576": (1024, 576), "4096x4096": (4096, 4096)}


def main() -> None:
    """Measures all."""
    seconds = float(sys.argv[1])
    cv2.setNumThreads(1)
    pyvips.cache_set_max(0)  # else it would remember the last result
    figures = dict[str, dict[str, float]]()
    for name, (width, height) in CANVASES.items():
        overlays = (overlay.aige, overlay.pillow, overlay.opencv, overlay.libvips)
        figures[f"overlay_{name}_ms"] = _cpu_ms(overlays, _overlay(width, height), seconds)
    photo = _encoded(Image.open(PHOTO).resize((1024, 1024)), "JPEG")
    figures["cut_out_1024_ms"] = _cpu_ms((cutout.aige, cutout.pillow, cutout.opencv, cutout.libvips), photo, seconds)
    print(json.dumps(figures))


def _overlay(width: int, height: int) -> Overlay:
    """A photo a quarter larger than the canvas, and a cut-out that covers a good part of it."""
    photo = Image.open(PHOTO)
    background = ImageOps.fit(photo, (width * 5 // 4, height * 5 // 4))
    side = height * 2 // 3
    person = Image.open(io.BytesIO(cutout.aige(_encoded(photo, "PNG")))).resize((side, side))
    return Overlay(
        _encoded(background, "JPEG"), _encoded(person, "PNG"), width, height, x=width // 8, y=height // 8, scale=1.2
    )


def _encoded(image: Image.Image, kind: str) -> bytes:
    out = io.BytesIO()
    image.save(out, kind)
    return out.getvalue()


J = TypeVar("J")


def _cpu_ms(ways: Sequence[Callable[[J], bytes]], job: J, seconds: float) -> dict[str, float]:
    """The median CPU time of each way over all threads, tried in turn, after one round that does not count."""
    times: dict[str, list[float]] = {way.__name__: [] for way in ways}
    stop = time.monotonic() + seconds
    while time.monotonic() < stop or len(times[ways[0].__name__]) < AT_LEAST:
        for way in ways:
            began = time.process_time()
            way(job)
            times[way.__name__].append(time.process_time() - began)
    return {system: median(several[1:]) * 1e3 for system, several in times.items()}


if __name__ == "__main__":
    main()
