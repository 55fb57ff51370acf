"""People are found, and nobody where nobody is."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from deployments.engines.local.faces import Face, find_faces
from deployments.engines.local.pixels import Rgb
from deployments.engines.local.segmentation import find_people, islands, look_again
from deployments.errors import NoPersonFound
from tests.engines.local.photos import photo


def landscape() -> Image.Image:
    image = Image.new("RGB", (800, 500), (120, 180, 240))
    draw = ImageDraw.Draw(image)
    draw.polygon([(0, 500), (200, 200), (400, 450), (600, 150), (800, 500)], fill=(60, 110, 70))
    draw.ellipse((600, 40, 680, 120), fill=(255, 230, 90))
    return image


def mask() -> Image.Image:
    """A drawn face that the detector takes for a real one; the segmenter knows better."""
    image = Image.new("RGB", (500, 500), "white")
    draw = ImageDraw.Draw(image)
    draw.ellipse((120, 80, 380, 420), fill="#e6bea0")
    for x in (190, 310):
        draw.ellipse((x - 22, 195, x + 22, 220), fill="white")
        draw.ellipse((x - 10, 196, x + 10, 219), fill="black")
    draw.polygon([(250, 215), (236, 285), (264, 285)], fill="#b08060")
    draw.ellipse((205, 320, 295, 350), fill="#a03030")
    return image


def noise(width: int, height: int) -> Rgb:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_a_face_is_found_at_every_scale() -> None:
    """The same portrait is found as a large photo, and as a small part of one."""
    large = photo("grace_hopper").resize((1024, 1200))
    canvas = Image.new("RGB", (1600, 1100), (150, 170, 190))
    canvas.paste(photo("grace_hopper").resize((192, 225)), (1100, 700))
    assert len(find_faces(np.asarray(large))) == 1
    (face,) = find_people(np.asarray(canvas)).faces
    assert 1100 < face.x < 1292
    assert 700 < face.y < 925


def test_a_grey_and_a_tilted_face_are_found() -> None:
    """Neither colour nor an upright head is needed."""
    assert find_people(np.asarray(photo("grace_hopper").convert("L").convert("RGB"))).faces
    assert find_people(np.asarray(photo("astronaut").rotate(25, fillcolor="silver"))).faces


def test_everybody_is_found_largest_face_first() -> None:
    """Two people side by side are two faces, and both are in the matte."""
    pair = Image.new("RGB", (1024, 600), "gray")
    pair.paste(photo("astronaut"), (0, 88))
    pair.paste(photo("grace_hopper"), (512, 0))
    people = find_people(np.asarray(pair))
    assert [round(face.x / 1024) for face in people.faces] == [1, 0]
    assert all(people.matte[round(face.y), round(face.x)] > 0.9 for face in people.faces)


@pytest.mark.parametrize(
    "picture",
    [
        noise(800, 600),
        noise(32, 32),
        noise(1, 1),
        noise(3, 900),
        np.zeros((400, 400, 3), np.uint8),
        np.full((300, 500, 3), 255, np.uint8),
        np.asarray(Image.linear_gradient("L").convert("RGB")),
        np.asarray(landscape()),
    ],
    ids=["noise", "tiny noise", "a pixel", "a strip", "black", "white", "gradient", "landscape"],
)
def test_nobody_is_found_where_nobody_is(picture: Rgb) -> None:
    """Pictures without a person end as `no_person_found`, and never crash."""
    with pytest.raises(NoPersonFound, match="shows a face"):
        find_people(picture)


def test_a_drawn_face_alone_is_nobody() -> None:
    """Both networks must agree: one of them does take the drawing for a face."""
    assert len(find_faces(np.asarray(mask()))) == 1
    with pytest.raises(NoPersonFound, match="No person was found in the picture"):
        find_people(np.asarray(mask()))


def test_islands_without_a_face_are_left_out() -> None:
    """What the segmenter takes for a person far from every face is dropped, and the soft edge of the rest stays."""
    people = find_people(np.asarray(photo("astronaut")))
    with_stranger = people.matte.copy()
    with_stranger[20:80, 400:460] = 1.0
    assert np.array_equal(islands(with_stranger, people.faces), people.matte)
    assert ((people.matte > 0.1) & (people.matte < 0.5)).any()


def test_a_second_opinion_that_sees_nobody_is_ignored() -> None:
    """A closer look may correct the first one, and never makes a person who was found vanish."""
    rough = np.zeros((120, 120), np.float32)
    rough[20:, 30:90] = 0.9
    corrected = look_again(noise(120, 120), rough, Face(60, 50, 30, 30, 0.9))
    assert np.array_equal(corrected, rough)
