"""The shapes a picture can be asked in, and their pixels (width, height)."""

from enum import StrEnum

Size = tuple[int, int]


class AspectRatio(StrEnum):
    """The ratios of avatars and backgrounds; `pixels` is the size in which the local engine makes them."""

    SQUARE = "1:1"
    WIDE = "16:9"
    TALL = "9:16"
    PORTRAIT = "3:4"
    LANDSCAPE = "4:3"

    @property
    def pixels(self) -> Size:
        return _RATIO_PIXELS[self]

    @property
    def quotient(self) -> float:
        """Width divided by height."""
        width, height = self.value.split(":")
        return int(width) / int(height)


class CanvasSize(StrEnum):
    """The presets of an overlay, named as fal.ai names its `image_size` presets; the output has exactly `pixels`."""

    SQUARE_HD = "square_hd"
    SQUARE = "square"
    PORTRAIT_4_3 = "portrait_4_3"
    PORTRAIT_16_9 = "portrait_16_9"
    LANDSCAPE_4_3 = "landscape_4_3"
    LANDSCAPE_16_9 = "landscape_16_9"

    @property
    def pixels(self) -> Size:
        return _CANVAS_PIXELS[self]


_RATIO_PIXELS: dict[AspectRatio, Size] = {
    AspectRatio.SQUARE: (1024, 1024),
    AspectRatio.WIDE: (1024, 576),
    AspectRatio.TALL: (576, 1024),
    AspectRatio.PORTRAIT: (768, 1024),
    AspectRatio.LANDSCAPE: (1024, 768),
}

_CANVAS_PIXELS: dict[CanvasSize, Size] = {
    CanvasSize.SQUARE_HD: (1024, 1024),
    CanvasSize.SQUARE: (512, 512),
    CanvasSize.PORTRAIT_4_3: (768, 1024),
    CanvasSize.PORTRAIT_16_9: (576, 1024),
    CanvasSize.LANDSCAPE_4_3: (1024, 768),
    CanvasSize.LANDSCAPE_16_9: (1024, 576),
}
