"""From a container to the picture that a browser shows: the pixels in 8 bits, their transparency, upright, in sRGB.

Colours are those of the ICC profile. A PNG's other words on them (`gAMA`, `cHRM`, `cICP`) are not read.
"""

import io
from collections.abc import Mapping
from contextlib import suppress
from itertools import chain, product
from types import MappingProxyType

from PIL import Image, ImageChops, ImageCms, ImageFile

from deployments.media.containers.container import Container, NoPixels

_TURNS: Mapping[int, Image.Transpose] = MappingProxyType(
    {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }
)
_GREY = frozenset({"1", "L", "LA", "I;16"})
_STEPS = range(0, 256, 17)
_LOW_BYTES = "RGB;16L"  # of samples of 16 bits: what Pillow takes for the high ones, where it is told another order


def decoded(container: Container, decoder: type[ImageFile.ImageFile], reduction: int) -> Image.Image:
    """The picture in mode RGB or RGBA, without metadata; both sides divided by `reduction`, which JPEGs can be.

    Raises:
        NoPixels: the file is not what its header says, or ends before its last pixel.
        Exception: whatever Pillow stumbles over.
    """
    image = _loaded(container.file, container, decoder, reduction)
    for probe in container.probes:
        if ImageChops.difference(image, _loaded(probe, container, decoder, reduction)).getbbox() is not None:
            raise NoPixels("pixels are missing")
    plain = _plain(image, container, decoder)
    if container.profile:
        plain = _in_srgb(plain, container.profile, is_grey=image.mode in _GREY)
    plain.info.clear()
    turn = _TURNS.get(container.orientation)
    return plain if turn is None else plain.transpose(turn)


def _loaded(
    file: bytes,
    container: Container,
    decoder: type[ImageFile.ImageFile],
    reduction: int = 1,
    unpacking: str | None = None,
) -> Image.Image:
    """The pixels as Pillow keeps them; `unpacking` is how samples become bytes, if not as Pillow chooses."""
    with decoder(io.BytesIO(file)) as image:
        if image.size != container.claim.size:
            raise NoPixels("the header says another size")
        if reduction > 1:
            image.draft(None, (max(1, image.width // reduction), max(1, image.height // reduction)))
        if unpacking is not None:
            image.tile = [tile._replace(args=unpacking) for tile in image.tile]
        image.load()
        return image


def _plain(image: Image.Image, container: Container, decoder: type[ImageFile.ImageFile]) -> Image.Image:
    """`image` with 8 bits a sample, as RGB or RGBA."""
    if image.mode == "I;16":
        return _from_deep_grey(image, container.key)
    if container.key is not None and container.deep:
        low_bytes = _loaded(container.file, container, decoder, unpacking=_LOW_BYTES)
        image.putalpha(_alpha_of_deep_rgb(image, low_bytes, container.key))
    elif container.key is not None:
        image = image.convert("L") if image.mode == "1" else image
        image.info["transparency"] = container.key[0] if image.mode == "L" else container.key
    mode = "RGBA" if image.has_transparency_data else "RGB"
    return image if image.mode == mode else image.convert(mode)


def _from_deep_grey(image: Image.Image, key: tuple[int, ...] | None) -> Image.Image:
    """Pillow keeps 16-bit grey as it is, and would clip it; of every other 16-bit mode, it takes the high byte."""
    deep = image.convert("I")  # the mode that `point` takes a table of 65,536 values for
    grey = deep.point([value >> 8 for value in range(1 << 16)], "L").convert("RGB")
    if key is not None:
        grey.putalpha(deep.point([0 if value == key[0] else 255 for value in range(1 << 16)], "L"))
    return grey


def _alpha_of_deep_rgb(high: Image.Image, low: Image.Image, key: tuple[int, ...]) -> Image.Image:
    """0 where both bytes of all three samples are those of `key`, else 255."""
    high.info["transparency"] = tuple(value >> 8 for value in key)
    low.info["transparency"] = tuple(value & 0xFF for value in key)
    return ImageChops.lighter(high.convert("RGBA").getchannel("A"), low.convert("RGBA").getchannel("A"))


def _in_srgb(plain: Image.Image, profile: bytes, *, is_grey: bool) -> Image.Image:
    """The picture in the colours of its profile, where that is for its kind: RGB (phones: Display P3), or grey."""
    # A broken profile is no reason to refuse a good photo either; its words may be no ASCII.
    with suppress(ImageCms.PyCMSError, OSError, ValueError):
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if source.profile.xcolor_space.strip() == "GRAY":
            return _grey_in_srgb(plain, source) if is_grey else plain
        if _changes_colours(_to_srgb(source, "RGB")):
            ImageCms.applyTransform(plain, _to_srgb(source, plain.mode), inPlace=True)
    return plain


def _to_srgb(source: ImageCms.ImageCmsProfile, mode: str) -> ImageCms.ImageCmsTransform:
    return ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB" if mode == "L" else mode)


def _changes_colours(transform: ImageCms.ImageCmsTransform) -> bool:
    """Whether it changes any by more than what rounding does: other words of sRGB leave a picture as it is."""
    colours = Image.frombytes("RGB", (len(_STEPS) ** 3, 1), bytes(chain.from_iterable(product(_STEPS, repeat=3))))
    changed = ImageCms.applyTransform(colours, transform)
    return changed is not None and max(ImageChops.difference(colours, changed).tobytes()) > 1


def _grey_in_srgb(plain: Image.Image, source: ImageCms.ImageCmsProfile) -> Image.Image:
    changed = ImageCms.applyTransform(plain.getchannel(0), _to_srgb(source, "L"))
    if changed is None:
        return plain
    if plain.mode == "RGBA":
        changed.putalpha(plain.getchannel("A"))
    return changed
