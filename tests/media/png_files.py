"""PNG files of any colour type and depth, and the pixels that they mean: what PngSuite has, by formula."""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
SAMPLES = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGBA: 4}
DEPTHS = {GREY: (1, 2, 4, 8, 16), RGB: (8, 16), PALETTE: (1, 2, 4, 8), GREY_ALPHA: (8, 16), RGBA: (8, 16)}
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""Of each pass: the first column and row, and the distance of columns and of rows."""
Samples = NDArray[np.uint16]
"""(height, width, samples of a pixel), each of `depth` bits."""


def chunk(name: bytes, content: bytes, *, checksum: bytes | None = None, length: int | None = None) -> bytes:
    """A chunk; `checksum` and `length` where they are to be wrong."""
    right = zlib.crc32(name + content).to_bytes(4)
    return (len(content) if length is None else length).to_bytes(4) + name + content + (checksum or right)


@dataclass(frozen=True)
class PngFile:
    """A PNG of random samples. `transparency` is the content of tRNS; `pieces` the number of IDAT chunks."""

    colour: int
    depth: int
    size: tuple[int, int] = (13, 11)
    interlaced: bool = False
    transparency: bytes = b""
    colours: int = 0
    pieces: int = 1
    seed: int = 1

    @property
    def samples(self) -> Samples:
        largest = self.colours - 1 if self.colour == PALETTE else (1 << self.depth) - 1
        shape = (self.size[1], self.size[0], SAMPLES[self.colour])
        return np.random.default_rng(self.seed).integers(0, largest + 1, shape, np.uint16)

    @property
    def palette(self) -> NDArray[np.uint8]:
        return np.random.default_rng(99).integers(0, 256, (self.colours, 3), np.uint8)

    def encoded(self, *before: bytes, behind: tuple[bytes, ...] = ()) -> bytes:
        """The file, with more chunks before and behind its pixels."""
        header = chunk(b"IHDR", struct.pack(">IIBBBBB", *self.size, self.depth, self.colour, 0, 0, self.interlaced))
        palette = chunk(b"PLTE", self.palette.tobytes()) if self.colour == PALETTE else b""
        transparency = chunk(b"tRNS", self.transparency) if self.transparency else b""
        packed = zlib.compress(b"".join(self._lines()))
        cuts = [len(packed) * piece // self.pieces for piece in range(self.pieces + 1)]
        pixels = b"".join(chunk(b"IDAT", packed[a:b]) for a, b in pairwise(cuts))
        return b"".join((SIGNATURE, header, palette, transparency, *before, pixels, *behind, chunk(b"IEND", b"")))

    def pixels(self) -> NDArray[np.uint8]:
        """What the specification says that it shows: (height, width, 3 or 4), of 8 bits."""
        samples = self.samples
        if self.colour == PALETTE:
            colours, indices = self.palette, samples[..., 0]
            alphas = np.frombuffer(self.transparency.ljust(self.colours, b"\xff"), np.uint8)
            alpha = alphas[indices] if self.transparency else None
            return _stacked(colours[indices], alpha)
        if self.depth == 16:
            eight = (samples >> 8).astype(np.uint8)
        else:
            eight = (samples * (255 // ((1 << self.depth) - 1))).astype(np.uint8)
        channels = {GREY: [0, 0, 0], RGB: [0, 1, 2], GREY_ALPHA: [0, 0, 0], RGBA: [0, 1, 2]}[self.colour]
        if self.colour in {GREY_ALPHA, RGBA}:
            return _stacked(eight[..., channels], eight[..., -1])
        if not self.transparency:
            return eight[..., channels]
        key = np.frombuffer(self.transparency, ">u2") & ((1 << self.depth) - 1)
        return _stacked(eight[..., channels], np.where((samples == key).all(axis=2), 0, 255).astype(np.uint8))

    def with_key(self, x: int = 3, y: int = 2) -> "PngFile":
        """The same, with the colour of one of its pixels for the transparent one."""
        return replace(self, transparency=self.samples[y, x].astype(">u2").tobytes())

    def _lines(self) -> Iterator[bytes]:
        """The lines of each pass, filtered, in turn, by each of the five filters."""
        passes = _ADAM7 if self.interlaced else ((0, 0, 1, 1),)
        for left, top, across, down in passes:
            part = self.samples[top::down, left::across]
            if part.size:
                yield from _filtered(_packed(part, self.depth), max(1, self.depth * part.shape[2] // 8))


def _stacked(colours: NDArray[np.uint8], alpha: NDArray[np.uint8] | None) -> NDArray[np.uint8]:
    return colours if alpha is None else np.dstack([colours, alpha])


def _packed(samples: Samples, depth: int) -> NDArray[np.uint8]:
    """(height, bytes of a line)."""
    lines = samples.reshape(samples.shape[0], -1)
    if depth == 16:
        return np.frombuffer(lines.astype(">u2").tobytes(), np.uint8).reshape(samples.shape[0], -1)
    bits = np.unpackbits(lines.astype(np.uint8)[..., None], axis=2)[..., 8 - depth :]
    return np.packbits(bits.reshape(samples.shape[0], -1), axis=1)


def _filtered(lines: NDArray[np.uint8], distance: int) -> Iterator[bytes]:
    """Each line with its filter byte; `distance` is that of a byte to the one before it."""
    above = np.zeros(lines.shape[1], int)
    for number, packed in enumerate(lines):
        line = packed.astype(int)
        left = np.concatenate([np.zeros(distance, int), line])[: len(line)]
        corner = np.concatenate([np.zeros(distance, int), above])[: len(line)]
        kind = number % 5
        guess = [0, left, above, (left + above) // 2, _paeth(left, above, corner)][kind]
        yield bytes([kind]) + ((line - guess) % 256).astype(np.uint8).tobytes()
        above = line


def _paeth(left: NDArray[np.int_], above: NDArray[np.int_], corner: NDArray[np.int_]) -> NDArray[np.int_]:
    guess = left + above - corner
    to_left, to_above, to_corner = (abs(guess - other) for other in (left, above, corner))
    upper = np.where(to_above <= to_corner, above, corner)
    return np.where((to_left <= to_above) & (to_left <= to_corner), left, upper)


def png(size: tuple[int, int], depth: int, colour_type: int, pixels: bytes, *chunks: bytes) -> bytes:
    """A PNG written by hand: `pixels` are its rows, each with its filter byte."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", *size, depth, colour_type, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(pixels)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + body
