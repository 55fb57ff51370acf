"""IPTC's digital source types."""

import pytest

from deployments.media.provenance.sources import DigitalSource, is_generative, short_name, strongest


def test_a_type_s_uri_is_iptc_s() -> None:
    """As the IPTC's NewsCodes have it."""
    assert DigitalSource.TRAINED.uri == "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"


@pytest.mark.parametrize(
    ("uri", "name"),
    [
        ("http://cv.iptc.org/newscodes/digitalsourcetype/composite", "composite"),
        ("http://c2pa.org/digitalsourcetype/empty", "empty"),
        ("composite", "composite"),
        ("", ""),
    ],
)
def test_the_short_name_is_the_last_part(uri: str, name: str) -> None:
    """Of anybody's type."""
    assert short_name(uri) == name


def test_two_types_are_generative() -> None:
    """Those in which a generative model took part."""
    assert {source for source in DigitalSource if is_generative(source)} == {
        DigitalSource.TRAINED,
        DigitalSource.COMPOSITE_WITH_TRAINED,
    }
    assert not is_generative(None)


def test_the_strongest_counts() -> None:
    """A generative model's share is never hidden by another engine's."""
    enhanced, trained = DigitalSource.ALGORITHMICALLY_ENHANCED, DigitalSource.TRAINED
    assert strongest([enhanced, trained]) is strongest([trained, enhanced]) is trained
    assert strongest([]) is None
