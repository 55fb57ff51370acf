"""A portrait from a photo: find the person, frame head and shoulders, cut them out, draw them in a style."""

import numpy as np
from PIL import Image

from deployments.engines.local.framing import Box, bust, frame
from deployments.engines.local.matting import cut
from deployments.engines.local.pixels import PERSON, rgba, shrunk
from deployments.engines.local.segmentation import find_people, islands, look_again, nobody
from deployments.engines.local.styles import Style
from deployments.media.sizes import Size


def draw_portrait(photo: Image.Image, style: Style, size: Size) -> Image.Image:
    """The person with the largest face in `photo` (RGB), drawn in `style`: RGBA of exactly `size`.

    The matte is made from the photo and kept, for a segmenter that is shown a stylised picture sees no person in it.
    And the person is drawn without the old background, so that no style smears it into the hair.

    Raises:
        NoPersonFound: no person is in `photo`.
    """
    small = shrunk(photo)
    people = find_people(np.asarray(small))
    face = people.faces[0]
    matte = islands(people.matte, [face])
    window = frame(matte, face, size[0] / size[1])
    part = window.within(small.size)
    left, top, right, bottom = window.onto(part, size)
    view_size = (right - left, bottom - top)
    view = np.asarray(_enlarged(photo, part.scaled(photo.width / small.width, photo.height / small.height), view_size))
    rough = np.asarray(Image.fromarray(matte).resize(view_size, Image.Resampling.BILINEAR, part.edges))
    subject = cut(view, look_again(view, rough, face.seen_from(part.left, part.top, view_size[1] / part.height)))
    outline = bust(subject.matte, left=left > 0, right=right < size[0])
    if not (outline > PERSON).any():
        raise nobody()
    canvas = Image.new("RGBA", size)
    canvas.paste(rgba(style.apply(subject.colours), outline), (left, top))
    return canvas


def _enlarged(photo: Image.Image, part: Box, size: Size) -> Image.Image:
    return photo.resize(size, Image.Resampling.LANCZOS, part.within(photo.size).edges, reducing_gap=3.0)
