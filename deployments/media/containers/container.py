"""What the modules beside this one return."""

from dataclasses import dataclass

from deployments.media.containers.exif import TURNED, UPRIGHT
from deployments.media.sizes import Size


@dataclass(frozen=True, slots=True)
class Claim:
    """What a header says: the stored pixels (width, height), and how many times the limit they may be.

    `leeway` is above 1 where the decoder can make a smaller picture without making the whole one first.
    """

    size: Size
    leeway: float = 1.0

    @property
    def pixels(self) -> int:
        return self.size[0] * self.size[1]


@dataclass(frozen=True, slots=True)
class Container:
    """The pixels of a picture file, in a `file` of their own, and what else decides how they look.

    `profile` is an ICC profile. `key` is the colour that is transparent: one sample or three, of 8 bits, or of 16 where
    the picture is `deep`. `probes` are for a file that stops before its end: they have more behind the pixels, and show
    the same picture as `file` if no pixel is missing.
    """

    file: bytes
    claim: Claim
    orientation: int = UPRIGHT
    profile: bytes | None = None
    key: tuple[int, ...] | None = None
    deep: bool = False
    probes: tuple[bytes, ...] = ()

    @property
    def upright_size(self) -> Size:
        """The size as it is seen."""
        width, height = self.claim.size
        return (height, width) if self.orientation in TURNED else (width, height)


class NoPixels(ValueError):
    """The file has not all of the pixels that it promises."""
