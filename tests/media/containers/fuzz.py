"""Good files with spoilt metadata: the picture has to stay the same.

`python -m tests.media.containers.fuzz SECONDS` runs longer.
It then spoils up to three parts of a file, and every tenth time pixels as well. It prints what came of the files.
"""

import random
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import cache

from PIL import Image

from deployments.errors import InvalidImage
from deployments.media.images import PictureLimits, decode
from tests.media.photo_files import Part, good_files, joined

LIMITS = PictureLimits()
HANG_S = 10
"""Of CPU, for a picture of a few thousand pixels."""


@cache
def good_pictures() -> dict[str, Image.Image]:
    return {name: decode(joined(parts), LIMITS) for name, parts in good_files().items()}


def spoilt(data: bytes, chance: random.Random) -> bytes:
    """Bits flipped, bytes overwritten, cut out or put in."""
    spoilt = bytearray(data)
    at, some = chance.randrange(len(data)), chance.choice((1, 2, 4, 16, 64, len(data)))
    match chance.randrange(5):
        case 0:
            for _ in range(chance.randint(1, 8)):
                spoilt[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        case 1:
            spoilt[at % 12 % len(data)] = chance.randrange(256)  # of a length or a name
        case 2:
            del spoilt[at : at + chance.randint(1, some)]
        case 3:
            spoilt[at : at + some] = chance.randbytes(len(data[at : at + some]))
        case _:
            spoilt[at:at] = chance.randbytes(chance.randint(1, 16))
    return bytes(spoilt)


def with_spoilt_parts(parts: Sequence[Part], number: int, chance: random.Random, *, anywhere: bool = False) -> bytes:
    """The file, so many of its parts spoilt: those that carry no pixels, or any."""
    spoilable = [place for place, part in enumerate(parts) if anywhere or not part.carries_pixels]
    chosen = chance.sample(spoilable, min(number, len(spoilable)))
    return joined(
        [replace(part, data=spoilt(part.data, chance)) if place in chosen else part for place, part in enumerate(parts)]
    )


def outcome(name: str, data: bytes) -> str:
    """What became of the file: the same picture, another one, or none.

    A picture that is only turned counts as the same: an orientation may have been what was spoilt.
    """
    try:
        shown = decode(data, LIMITS)
    except InvalidImage:
        return "refused"
    good = good_pictures()[name]
    turned = (shown if turn is None else shown.transpose(turn) for turn in (None, *Image.Transpose))
    same = any(
        (picture.mode, picture.size, picture.tobytes()) == (good.mode, good.size, good.tobytes()) for picture in turned
    )
    return "the same" if same else "another"


def main(seconds: float) -> None:
    """Runs so long, and prints how many files came to what, and how long the slowest took."""
    files, chance = good_files(), random.Random()
    outcomes: Counter[str] = Counter()
    slowest, until = 0.0, time.monotonic() + seconds
    while time.monotonic() < until:
        name, seed, anywhere = chance.choice(list(files)), chance.randrange(1 << 32), chance.random() < 0.1
        seeded = random.Random(seed)
        data = with_spoilt_parts(files[name], seeded.randint(1, 3), seeded, anywhere=anywhere)
        started = time.process_time()
        try:
            came_to = outcome(name, data)
        except Exception as error:
            came_to = f"internal: {error!r}"
        took = time.process_time() - started  # a busy machine is no hang
        slowest = max(slowest, took)
        outcomes["pixels spoilt too" if anywhere and not came_to.startswith("internal") else came_to] += 1
        outcomes["hangs"] += took > HANG_S
        if not anywhere and came_to != "the same":
            print(f"{name}, seed {seed}: {came_to}")
    print(f"{sum(outcomes.values()) - outcomes['hangs']:,} files, the slowest {slowest:.2f} s: {dict(outcomes)}")


if __name__ == "__main__":
    main(float(sys.argv[1]))
