"""A picture is its bytes, or the URL at which they are; whose URL it is decides who is told that it fails."""

import pytest

from deployments.errors import EngineError, FetchFailed
from deployments.media.egress import Egress
from deployments.media.picture import Picture
from tests.faults.web import PICTURE
from tests.media.internet import Internet


def test_it_has_one_of_both() -> None:
    """Neither none nor two."""
    for data, url in ((None, None), (b"png", "https://p.example/1")):
        with pytest.raises(ValueError, match="either data or a url"):
            Picture(data, url)


async def test_its_bytes_are_read_where_they_are(egress: Egress, internet: Internet) -> None:
    """Those that it has itself cost no connection."""
    assert await Picture(data=b"png").read(egress, 1) == b"png"
    assert internet.dialled == []
    assert await Picture(url=internet.url("/picture")).read(egress, len(PICTURE)) == PICTURE


async def test_whose_url_it_is_decides_what_is_told(
    egress: Egress, internet: Internet, caplog: pytest.LogCaptureFixture
) -> None:
    """A caller reads why theirs cannot be had; a provider's host is for the operator alone."""
    url = internet.url("/answers?status=404")
    with pytest.raises(FetchFailed, match=r"host\.example could not be loaded: the server answered 404"):
        await Picture(url=url).read(egress, 1000)
    with pytest.raises(EngineError) as caught:
        await Picture(url=url, of_engine=True).read(egress, 1000)
    assert str(caught.value) == "The image model's picture could not be loaded from its provider: try again."
    assert "host.example" in caplog.text
