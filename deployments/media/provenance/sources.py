"""IPTC's digital source types: the kinds of origin that a picture can name."""

from collections.abc import Iterable
from enum import StrEnum

IPTC = "http://cv.iptc.org/newscodes/digitalsourcetype/"


class DigitalSource(StrEnum):
    """The types that AIGE names, from the weakest to the strongest: where several apply, the strongest counts."""

    COMPOSITE = "composite"
    """Several pictures, put together."""
    ALGORITHMICALLY_ENHANCED = "algorithmicallyEnhanced"
    """A photo, changed by an algorithm."""
    ALGORITHMIC_MEDIA = "algorithmicMedia"
    """Made by an algorithm that no sample trained."""
    COMPOSITE_WITH_TRAINED = "compositeWithTrainedAlgorithmicMedia"
    """Several pictures, put together; a generative model made at least one, or joined them."""
    TRAINED = "trainedAlgorithmicMedia"
    """Made by a generative model."""

    @property
    def uri(self) -> str:
        return IPTC + self


_RANK = {source: rank for rank, source in enumerate(DigitalSource)}
_GENERATIVE = frozenset({DigitalSource.TRAINED, DigitalSource.COMPOSITE_WITH_TRAINED})


def is_generative(source: str | None) -> bool:
    """Whether a type, by its short name, says that a generative model took part."""
    return source in _GENERATIVE


def strongest(sources: Iterable[DigitalSource]) -> DigitalSource | None:
    """The strongest of these; None of none."""
    return max(sources, key=_RANK.__getitem__, default=None)


def short_name(uri: str) -> str:
    """What stands behind the last slash of a type's URI."""
    return uri.rstrip("/").rpartition("/")[2]
