"""The two photos of people, whose masks were checked by eye."""

from pathlib import Path

from PIL import Image

DATA = Path(__file__).parents[2] / "data"
NAMES = ("astronaut", "grace_hopper")


def photo(name: str) -> Image.Image:
    return Image.open(DATA / f"{name}.jpg").convert("RGB")
