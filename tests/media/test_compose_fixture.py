"""The fixture that the studio's preview is held against: the pixels of `compose`, as hashes, for pictures by formula.

`python tests/media/test_compose_fixture.py` writes it anew. The studio's tests compute the same cases in TypeScript.
"""

import hashlib
import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from deployments.media.compose import Placement, compose
from deployments.media.sizes import CanvasSize, Size

FIXTURE = Path(__file__).resolve().parent.parent / "data" / "compose" / "cases.json"


class Case(NamedTuple):
    """One composition; both pictures are `noise`."""

    name: str
    canvas: CanvasSize
    background: Size
    background_mode: str
    person: Size
    person_mode: str
    x: float
    y: float
    scale: float


CASES = [
    Case("as it is", CanvasSize.SQUARE, (512, 512), "RGB", (200, 300), "RGBA", 100, 150, 1),
    Case("smaller", CanvasSize.LANDSCAPE_16_9, (1024, 1024), "RGB", (400, 380), "RGBA", 300, 120, 0.4321),
    Case("larger", CanvasSize.LANDSCAPE_4_3, (640, 480), "RGB", (160, 120), "RGBA", 40, 60, 3.7),
    Case("an opaque person", CanvasSize.SQUARE, (700, 300), "RGB", (333, 211), "RGB", 7, 9, 0.77),
    Case("a background with transparency", CanvasSize.SQUARE, (300, 700), "RGBA", (90, 120), "RGBA", 200, 200, 1.5),
    Case("half pixels round up", CanvasSize.SQUARE, (512, 600), "RGB", (101, 99), "RGBA", -0.5, 10.5, 0.5),
    Case(
        "over the top left corner", CanvasSize.PORTRAIT_4_3, (900, 900), "RGB", (300, 300), "RGBA", -250.2, -99.7, 1.25
    ),
    Case(
        "over the bottom right corner", CanvasSize.PORTRAIT_16_9, (200, 350), "RGB", (300, 300), "RGBA", 450, 900, 0.9
    ),
    Case("off the canvas", CanvasSize.SQUARE, (64, 64), "RGB", (50, 50), "RGBA", 512, 0, 1),
    Case("a single pixel, grown", CanvasSize.SQUARE, (1, 1), "RGB", (1, 1), "RGBA", 250, 250, 20),
    Case("shrunk to a single pixel", CanvasSize.SQUARE, (2000, 30), "RGB", (60, 40), "RGBA", 256, 256, 0.001),
    Case("tall, down first", CanvasSize.SQUARE_HD, (300, 1900), "RGB", (90, 900), "RGBA", 400, 100, 0.35),
    Case("wide, across first", CanvasSize.SQUARE_HD, (1900, 300), "RGB", (900, 90), "RGBA", 100, 400, 0.35),
    Case(
        "a window of 64 million pixels",
        CanvasSize.LANDSCAPE_16_9,
        (1024, 576),
        "RGB",
        (400, 400),
        "RGBA",
        -3000,
        -2500,
        20,
    ),
    Case("every pixel by hand", CanvasSize.SQUARE, (512, 512), "RGB", (256, 256), "RGBA", 13.49, 17.51, 1.99),
]


def noise(size: Size, mode: str, seed: int) -> Image.Image:
    """A picture in which no two neighbours have anything to do with each other, the same in any language."""
    x, y, band = (axis.astype(np.uint32) for axis in np.ogrid[: size[0], : size[1], : len(mode)])
    mixed = (x * np.uint32(73856093)) ^ (y * np.uint32(19349663)) ^ ((band + np.uint32(seed)) * np.uint32(83492791))
    mixed = (mixed ^ (mixed >> np.uint32(13))) * np.uint32(1274126177)
    pixels = (mixed >> np.uint32(24)).astype(np.uint8).swapaxes(0, 1)
    return Image.frombytes(mode, size, np.ascontiguousarray(pixels).tobytes())


def fixture() -> list[dict[str, object]]:
    """The cases and the SHA-256 of what each composes, as rows of RGB."""
    return [{**case._asdict(), "sha256": _sha256(case)} for case in CASES]


def _sha256(case: Case) -> str:
    background = noise(case.background, case.background_mode, 1)
    person = noise(case.person, case.person_mode, 2)
    canvas = compose(background, person, case.canvas.pixels, Placement(case.x, case.y, case.scale))
    return hashlib.sha256(canvas.tobytes()).hexdigest()


def test_the_fixture_is_what_compose_makes() -> None:
    """Whoever changes the composition changes the fixture with it, and the studio's tests fail until it follows."""
    assert json.loads(FIXTURE.read_text(encoding="utf-8")) == json.loads(json.dumps(fixture()))


def test_the_fixture_is_broad() -> None:
    """Every canvas size is in it, and no two cases make the same picture."""
    assert len({case["sha256"] for case in fixture()}) == len(CASES) >= 12
    assert {case.canvas for case in CASES} == set(CanvasSize)


if __name__ == "__main__":
    FIXTURE.write_text(json.dumps(fixture(), indent=2) + "\n", encoding="utf-8")
