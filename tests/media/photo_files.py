"""Photos as phones and programs write them: the parts of their files, those that carry pixels and those that do not."""

import io
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageCms

from tests.media.png_files import chunk

XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="" xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/>'
    b"</rdf:RDF></x:xmpmeta>"
)
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@dataclass(frozen=True)
class Part:
    """A piece of a file. The picture is the same without what carries none of it."""

    data: bytes
    carries_pixels: bool = True


def joined(parts: Sequence[Part]) -> bytes:
    return b"".join(part.data for part in parts)


def photo(size: tuple[int, int] = (120, 80), mode: str = "RGB", seed: int = 1) -> Image.Image:
    """Soft noise: every part of it is different, and no format makes it very small."""
    grains = np.random.default_rng(seed).integers(0, 256, (40, 60, len(mode)), np.uint8)
    return Image.fromarray(grains.squeeze()).resize(size, Image.Resampling.BICUBIC)


def saved(image: Image.Image, file_format: str = "PNG", **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, file_format, **options)
    return out.getvalue()


def exif(orientation: int = 1, order: str = ">", *, preview: bytes = b"", kind: int = 3, values: int = 1) -> bytes:
    """An EXIF block with a maker's name, notes and an orientation, and with a preview behind it."""
    mark = b"II*\0" if order == "<" else b"MM\0*"
    maker = struct.pack(f"{order}HHI4s", 0x010F, 2, 4, b"abc\0")
    turn = struct.pack(f"{order}HHIHH", 0x0112, kind, values, orientation, 0)
    notes = struct.pack(f"{order}HHII", 0x927C, 7, 300, 50)
    directory = struct.pack(f"{order}IH", 8, 3) + maker + turn + notes + bytes(4)
    return mark + directory + bytes(range(256)) + bytes(44) + preview


def segment(marker: int, content: bytes, *, length: int | None = None) -> bytes:
    """A segment of a JPEG; `length` where it is to be wrong."""
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2 if length is None else length) + content


def in_jpeg(file: bytes, *segments: bytes) -> bytes:
    """`file` with more segments right behind its start."""
    return file[:2] + b"".join(segments) + file[2:]


def riff_chunk(name: bytes, content: bytes, *, size: int | None = None) -> bytes:
    """A chunk of a WebP; `size` where it is to be wrong."""
    return name + struct.pack("<I", len(content) if size is None else size) + content + bytes(len(content) % 2)


def extended_webp(image: Image.Image, flags: int, before: bytes, behind: bytes, **options: object) -> bytes:
    """`image` as a WebP with more chunks before and behind its pixels."""
    plain = saved(image.convert("RGB"), "WEBP", **options)
    sides = ((side - 1).to_bytes(3, "little") for side in image.size)
    body = riff_chunk(b"VP8X", bytes((flags, 0, 0, 0)) + b"".join(sides)) + before + plain[12:] + behind
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def png_parts(image: Image.Image) -> Iterator[Part]:
    """With what editors, scanners and image models write into PNGs."""
    file = saved(image)
    pixels = file.index(b"IDAT") - 4
    yield Part(file[:pixels])
    words = b'{"class_type": "KSampler", "inputs": {"text": "IDAT, IEND and PLTE"}}'
    for name, content in (
        (b"gAMA", struct.pack(">I", 45455)),
        (b"sRGB", b"\0"),
        (b"cHRM", struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)),
        (b"pHYs", struct.pack(">IIB", 2835, 2835, 1)),
        (b"iCCP", b"sRGB\0\0" + zlib.compress(SRGB)),
        (b"eXIf", exif(preview=saved(photo((32, 20)), "JPEG"))),
        (b"tEXt", b"prompt\0" + words),
        (b"zTXt", b"workflow\0\0" + zlib.compress(words * 99)),
        (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP),
        (b"caBX", saved(photo((30, 30), seed=2), "JPEG")),
        (b"tIME", b"\x07\xea\x0b\x1a\x0c\0\0"),
    ):
        yield Part(chunk(name, content), carries_pixels=False)
    content = file[pixels + 8 : file.index(b"IEND") - 8]
    for piece in (content[:999], content[999:]):
        yield Part(chunk(b"IDAT", piece))
    yield Part(chunk(b"tEXt", b"Software\0an editor"), carries_pixels=False)
    yield Part(chunk(b"IEND", b"") + b"something behind", carries_pixels=False)


def jpeg_parts(image: Image.Image, **options: object) -> Iterator[Part]:
    """With what phones write into JPEGs, and behind them."""
    file = saved(image, "JPEG", **options)
    preview = saved(photo((32, 20)), "JPEG")
    yield Part(file[:2])
    yield Part(file[2:20], carries_pixels=False)  # JFIF's
    for marker, content in (
        (0xE1, b"Exif\0\0" + exif(preview=preview)),
        (0xE1, b"http://ns.adobe.com/xap/1.0/\0" + XMP),
        (0xE2, b"MPF\0" + bytes(80)),
        (0xEB, b"JP\0\1" + bytes(64)),
        (0xED, b"Photoshop 3.0\0" + b"8BIM\x04\x04" + bytes(64)),
        (0xFE, b"a comment"),
    ):
        yield Part(segment(marker, content), carries_pixels=False)
    yield Part(file[20:-2])
    yield Part(file[-2:], carries_pixels=False)
    yield Part(preview, carries_pixels=False)
    yield Part(bytes(200), carries_pixels=False)


def webp_parts(image: Image.Image, **options: object) -> Iterator[Part]:
    """With metadata before and behind the pixels."""
    file = saved(image, "WEBP", **options)
    if file[12:16] != b"VP8X":
        sides = b"".join((side - 1).to_bytes(3, "little") for side in image.size)
        file = file[:12] + riff_chunk(b"VP8X", bytes((0x10 * (image.mode == "RGBA"), 0, 0, 0)) + sides) + file[12:]
    before = riff_chunk(b"JUNK", b"some odd content")
    behind = [
        riff_chunk(b"EXIF", exif(preview=saved(photo((32, 20)), "JPEG"))),
        riff_chunk(b"XMP ", XMP),
        riff_chunk(b"C2PA", bytes(61)),
    ]
    size = len(file) - 8 + len(before) + sum(map(len, behind))
    yield Part(b"RIFF" + struct.pack("<I", size) + file[8:30])
    yield Part(before, carries_pixels=False)
    yield Part(file[30:])
    for data in behind:
        yield Part(data, carries_pixels=False)


def good_files() -> dict[str, list[Part]]:
    """A file of each kind, full of metadata."""
    rgb, rgba = photo(), photo(mode="RGBA")
    return {
        "png": list(png_parts(rgb)),
        "png with alpha": list(png_parts(rgba)),
        "grey png": list(png_parts(photo(mode="L"))),
        "palette png": list(png_parts(rgb.quantize(64))),
        "jpeg": list(jpeg_parts(rgb, quality=90)),
        "progressive jpeg": list(jpeg_parts(rgb, progressive=True)),
        "grey jpeg": list(jpeg_parts(photo(mode="L"))),
        "jpeg with restarts": list(jpeg_parts(rgb, restart_marker_blocks=3, optimize=True)),
        "webp": list(webp_parts(rgb)),
        "webp with alpha": list(webp_parts(rgba)),
        "lossless webp": list(webp_parts(rgba, lossless=True)),
        "animated webp": list(webp_parts(rgb, save_all=True, append_images=[rgb.rotate(90)])),
    }


def pixels_of(image: Image.Image) -> list[tuple[int, ...]]:
    return [tuple(pixel) for row in np.asarray(image).tolist() for pixel in row]


def gradient(size: tuple[int, int] = (24, 16)) -> Image.Image:
    """A gradient: every pixel is different, and none is extreme."""
    x, y = np.meshgrid(np.linspace(20, 230, size[0]), np.linspace(20, 230, size[1]))
    return Image.fromarray(np.stack([x, y, 255 - x], axis=-1).astype(np.uint8))
