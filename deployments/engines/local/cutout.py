"""Everybody in a photo, without its background."""

import cv2
import numpy as np
from PIL import Image

from deployments.engines.local.matting import Subject, cut
from deployments.engines.local.pixels import Rgb, rgba, shrunk
from deployments.engines.local.segmentation import find_people

_OPAQUE = 0.99
"""Where a matte is above this, no background shines through."""


def cut_out_people(photo: Image.Image) -> Image.Image:
    """The people in `photo` (RGB), everything else transparent: RGBA of the same size.

    Raises:
        NoPersonFound: no person is in `photo`.
    """
    small = np.asarray(shrunk(photo))
    subject = cut(small, find_people(small).matte)
    if small.shape[:2] != (photo.height, photo.width):
        subject = _as_large_as(np.asarray(photo), subject)
    return rgba(subject.colours, subject.matte)


def _as_large_as(photo: Rgb, subject: Subject) -> Subject:
    """`subject` at the size of `photo`, and in its detail wherever no background shines through."""
    size = photo.shape[1], photo.shape[0]
    matte = np.asarray(cv2.resize(subject.matte, size, interpolation=cv2.INTER_LINEAR), np.float32)
    colours = np.asarray(cv2.resize(subject.colours, size, interpolation=cv2.INTER_LINEAR), np.uint8)
    return Subject(np.where((matte < _OPAQUE)[..., None], colours, photo), matte)
