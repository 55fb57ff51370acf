"""The names of colours."""

from PIL import ImageColor

from deployments.engines.local.scenery.colours import COLOURS


def test_colours_are_called_as_people_call_them() -> None:
    """No name of CSS, which knows no spaces, is in the notes."""
    names = {COLOURS[css].name for css in ImageColor.colormap if css in COLOURS}
    assert {len(word) for name in names for word in name.split()} <= set(range(3, 11))
    assert {"deep pink", "light goldenrod yellow", "medium violet red", "dark slate grey", "seashell"} <= names
    assert all(COLOURS[css].name.replace(" ", "") == css for css in ImageColor.colormap if css in COLOURS)
