"""From a blurry matte to clean hair: the exact outline, its softness, and the person's own colours under it."""

from dataclasses import dataclass

import cv2
import numpy as np

from deployments.engines.local.pixels import PERSON, Floats, Matte, Rgb

_GRABCUT_SIDE = 512
"""GrabCut works on a smaller copy: at full size it takes a second and finds the same outline."""

_BAND = 0.02
"""Share of the longest side, on either side of the blurry outline, in which GrabCut may move it."""

_SURE = 0.8
_GRABCUT_ROUNDS = 2
_NO_RECTANGLE = (0, 0, 0, 0)  # labels are given instead

_SOFTNESS = 0.006
"""Share of the longest side over which the edge may be soft: a strand of hair in a portrait."""

_EDGE_VARIANCE = 1e-4
_PURE = 1e-4
_FAINTEST, _FULLEST = 0.08, 0.92
"""The ends of the guided filter's scale are haze, not hair."""

_COLOUR_REACH = 0.04
"""Share of the longest side from which the person's colours are drawn outwards."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A person cut from a photo: colours without any of the old background, and the matte to show them through."""

    colours: Rgb
    matte: Matte


def cut(photo: Rgb, rough: Matte) -> Subject:
    """The person whom `rough` (same size) shows blurrily, with a clean edge."""
    longest = max(rough.shape)
    picture = photo.astype(np.float32) / 255.0
    outline = _outline(photo, rough)
    soft = _guided(picture, outline, radius=max(2, round(longest * _SOFTNESS)))
    matte = np.clip((soft - _FAINTEST) / (_FULLEST - _FAINTEST), 0.0, 1.0).astype(np.float32)
    colours = _foreground(picture, matte, radius=max(4, round(longest * _COLOUR_REACH)))
    return Subject((colours * 255.0 + 0.5).astype(np.uint8), matte)


def _outline(photo: Rgb, rough: Matte) -> Matte:
    """The hard outline that fits the photo's colours best, near that of `rough`."""
    height, width = rough.shape
    scale = min(1.0, _GRABCUT_SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    labels = _labels(np.asarray(cv2.resize(rough, size, interpolation=cv2.INTER_AREA), np.float32))
    known = set(np.unique(labels))
    if not known & {cv2.GC_FGD, cv2.GC_PR_FGD} or not known & {cv2.GC_BGD, cv2.GC_PR_BGD}:
        return rough  # GrabCut raises where one side has no pixels to learn from
    small = cv2.resize(photo, size, interpolation=cv2.INTER_AREA)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(0)  # its k-means draws from this thread's generator: the same photo shall give the same outline
    cv2.grabCut(small, labels, _NO_RECTANGLE, *models, _GRABCUT_ROUNDS, cv2.GC_INIT_WITH_MASK)
    person = np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.float32)
    return np.asarray(cv2.resize(person, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def _labels(rough: Matte) -> Rgb:
    """What GrabCut is told: sure inside, sure outside, and a guess in the band between."""
    reach = max(2, round(_BAND * max(rough.shape)))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    person = (rough > PERSON).astype(np.uint8)
    labels = np.where(person, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    labels[(cv2.erode(person, disc) > 0) & (rough > _SURE)] = cv2.GC_FGD
    labels[cv2.dilate(person, disc) == 0] = cv2.GC_BGD
    return labels


def _guided(guide: Floats, mask: Matte, radius: int) -> Matte:
    """`mask` with its edges moved onto those of `guide`: the guided filter in colour (He et al., 2013).

    It solves a small linear system a pixel, and only where the window holds both sides is there anything to solve.
    """
    mean, mean_mask = _box(guide, radius), _box(mask, radius)
    mixed = (mean_mask > _PURE) & (mean_mask < 1.0 - _PURE)
    centre = mean[mixed]
    shared = (_box(guide * mask[..., None], radius) - mean * mean_mask[..., None])[mixed]
    squares = _box(guide * guide, radius)[mixed] - centre * centre
    rolled = np.roll(centre, -1, axis=1)
    products = _box(guide * np.roll(guide, -1, axis=2), radius)[mixed] - centre * rolled
    system = np.empty((len(centre), 3, 3), np.float32)
    for channel in range(3):
        following = (channel + 1) % 3
        system[:, channel, channel] = squares[:, channel] + _EDGE_VARIANCE
        system[:, channel, following] = system[:, following, channel] = products[:, channel]
    slope = np.zeros_like(guide)
    slope[mixed] = np.linalg.solve(system, shared[..., None])[..., 0]
    offset = mean_mask - (slope * mean).sum(axis=2)
    return np.asarray((_box(slope, radius) * guide).sum(axis=2) + _box(offset, radius), np.float32)


def _foreground(picture: Floats, matte: Matte, radius: int) -> Floats:
    """The person's own colours everywhere, as if nothing were behind: blur fusion (Forte, 2021), coarse then fine."""
    mean = np.asarray(np.tensordot(matte, picture, 2) / max(1.0, float(matte.sum())), np.float32)
    layers = _fuse(picture, matte, (picture, picture), radius, otherwise=mean)
    colours, _ = _fuse(picture, matte, layers, max(2, radius // 10), otherwise=layers[0])
    return colours


def _fuse(
    picture: Floats, matte: Matte, layers: tuple[Floats, Floats], radius: int, otherwise: Floats
) -> tuple[Floats, Floats]:
    """The layers (front, behind) drawn from within `radius`; in front, `otherwise` where the person is farther away."""
    front, behind = layers
    share = matte[..., None]
    blurred = _box(matte, radius)[..., None]
    front = (_box(front * share, radius) + 1e-4 * otherwise) / (blurred + 1e-4)
    behind = _box(behind * (1.0 - share), radius) / (1.0 - blurred + 1e-4)
    return np.clip(front + share * (picture - share * front - (1.0 - share) * behind), 0.0, 1.0), behind


def _box(values: Floats, radius: int) -> Floats:
    return np.asarray(cv2.blur(values, (2 * radius + 1, 2 * radius + 1)), np.float32)
