/**
 * Pillow's bicubic `resize`, `ImageOps.fit` and `paste`, bit for bit: what the service composes with.
 *
 * After Pillow's Resample.c: weights in 22-bit fixed point, one direction after the other, each rounded to 8 bits;
 * transparency is multiplied in before and divided out after. Boxes are rounded to 32-bit floats, as Pillow does.
 */

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Rows of RGBA, 8 bits each, transparency not multiplied in. */
export interface Pixels extends Size {
  readonly data: Uint8ClampedArray<ArrayBuffer>;
}

/** `right` and `bottom` are not part of it. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** Which source pixels make each target pixel: `count[i]` of them from `first[i]`, with `weights` from `i * reach`. */
interface Taps {
  readonly first: Int32Array;
  readonly count: Int32Array;
  readonly weights: Int32Array;
  readonly reach: number;
}

const FIXED_POINT_BITS = 22;
const SUPPORT = 2; // of the cubic, in pixels to either side
const SHARPNESS = -0.5; // `a` in Keys' cubic convolution

export function blank(size: Size): Pixels {
  return { width: size.width, height: size.height, data: new Uint8ClampedArray(size.width * size.height * 4) };
}

function whole(size: Size): Box {
  return { left: 0, top: 0, right: size.width, bottom: size.height };
}

/** The pixels in `window` of `image`'s `box` resized to `size`. */
export function resize(image: Pixels, size: Size, box: Box = whole(image), window: Box = whole(size)): Pixels {
  if (isWhole(box, image) && size.width === image.width && size.height === image.height) return crop(image, window);
  const across = taps(image.width, box.left, box.right, size.width, window.left, window.right);
  const down = taps(image.height, box.top, box.bottom, size.height, window.top, window.bottom);
  const source = premultiplied(image);
  const lost = { width: image.width - size.width, height: image.height - size.height };
  const downFirst = lost.height > 0 && lost.height > lost.width * 2;
  const resized = downFirst
    ? resampledAcross(resampledDown(source, down), across)
    : resampledDown(resampledAcross(source, across), down);
  return unpremultiplied(resized);
}

/** `ImageOps.fit(image, size, BICUBIC)`: scaled to cover `size`, centred, cropped. */
export function cover(image: Pixels, size: Size): Pixels {
  return resize(image, size, coverBox(image, size));
}

/** The part of an image of size `image` that covers `size`, in fractions of its pixels. */
export function coverBox(image: Size, size: Size): Box {
  const ratio = size.width / size.height;
  const ownRatio = image.width / image.height;
  const width = ownRatio > ratio ? ratio * image.height : image.width;
  const height = ownRatio < ratio ? image.width / ratio : image.height;
  const left = (image.width - width) * 0.5;
  const top = (image.height - height) * 0.5;
  return { left, top, right: left + width, bottom: top + height };
}

/** Pastes `image` onto `canvas` through its own transparency, its top-left corner at `left`, `top`; inside the canvas. */
export function paste(canvas: Pixels, image: Pixels, left: number, top: number): void {
  for (let y = 0; y < image.height; y++) {
    let to = ((top + y) * canvas.width + left) * 4;
    let from = y * image.width * 4;
    for (let x = 0; x < image.width; x++, to += 4, from += 4) blend(canvas.data, to, image.data, from);
  }
}

/** `image` on white. */
export function flattened(image: Pixels): Pixels {
  const flat = blank(image);
  flat.data.fill(255);
  paste(flat, image, 0, 0);
  return flat;
}

function blend(under: Uint8ClampedArray, to: number, over: Uint8ClampedArray, from: number): void {
  const alpha = over[from + 3] as number;
  for (let band = 0; band < 3; band++) {
    under[to + band] = dividedBy255(
      (under[to + band] as number) * (255 - alpha) + (over[from + band] as number) * alpha,
    );
  }
}

/** Rounded, in integers. */
function dividedBy255(value: number): number {
  const biased = value + 128;
  return ((biased >> 8) + biased) >> 8;
}

function isWhole(box: Box, image: Size): boolean {
  return box.left === 0 && box.top === 0 && box.right === image.width && box.bottom === image.height;
}

function crop(image: Pixels, window: Box): Pixels {
  const part = blank({ width: window.right - window.left, height: window.bottom - window.top });
  for (let y = 0; y < part.height; y++) {
    const start = ((window.top + y) * image.width + window.left) * 4;
    part.data.set(image.data.subarray(start, start + part.width * 4), y * part.width * 4);
  }
  return part;
}

function premultiplied(image: Pixels): Pixels {
  const data = image.data.slice();
  for (let i = 0; i < data.length; i += 4) {
    const alpha = data[i + 3] as number;
    if (alpha === 255) continue;
    for (let band = i; band < i + 3; band++) data[band] = dividedBy255((data[band] as number) * alpha);
  }
  return { ...image, data };
}

/** In place: the pixels are nobody else's. */
function unpremultiplied(image: Pixels): Pixels {
  const { data } = image;
  for (let i = 0; i < data.length; i += 4) {
    const alpha = data[i + 3] as number;
    if (alpha === 255 || alpha === 0) continue;
    for (let band = i; band < i + 3; band++) data[band] = Math.trunc((255 * (data[band] as number)) / alpha);
  }
  return image;
}

/** For the target pixels `start` to `stop`, of `target` in all, that lie over the source's `from` to `to`. */
function taps(source: number, from: number, to: number, target: number, start: number, stop: number): Taps {
  const [low, high] = [Math.fround(from), Math.fround(to)];
  const scale = Math.fround(high - low) / target;
  const widening = Math.max(scale, 1);
  const support = SUPPORT * widening;
  const reach = Math.ceil(support) * 2 + 1;
  const first = new Int32Array(stop - start);
  const count = new Int32Array(stop - start);
  const weights = new Int32Array((stop - start) * reach);
  for (let i = 0; i < first.length; i++) {
    const centre = low + (start + i + 0.5) * scale;
    const begin = Math.max(0, Math.trunc(centre - support + 0.5));
    const end = Math.min(source, Math.trunc(centre + support + 0.5));
    first[i] = begin;
    count[i] = end - begin;
    weights.set(fixedPointWeights(begin, end, centre, 1 / widening), i * reach);
  }
  return { first, count, weights, reach };
}

function fixedPointWeights(begin: number, end: number, centre: number, narrowing: number): number[] {
  const weights: number[] = [];
  let total = 0;
  for (let x = 0; x < end - begin; x++) {
    const weight = cubic((x + begin - centre + 0.5) * narrowing);
    weights.push(weight);
    total += weight;
  }
  return weights.map((weight) => {
    const share = total === 0 ? weight : weight / total;
    return Math.trunc((share < 0 ? -0.5 : 0.5) + share * (1 << FIXED_POINT_BITS));
  });
}

function cubic(offset: number): number {
  const d = Math.abs(offset);
  if (d < 1) return ((SHARPNESS + 2) * d - (SHARPNESS + 3)) * d * d + 1;
  return d < SUPPORT ? (((d - 5) * d + 8) * d - 4) * SHARPNESS : 0;
}

function resampledAcross(image: Pixels, across: Taps): Pixels {
  const out = blank({ width: across.first.length, height: image.height });
  const [row, outRow] = [image.width * 4, out.width * 4];
  for (let y = 0; y < image.height; y++) resampleLine(image.data, y * row, 4, out.data, y * outRow, 4, across);
  return out;
}

function resampledDown(image: Pixels, down: Taps): Pixels {
  const out = blank({ width: image.width, height: down.first.length });
  const row = image.width * 4;
  for (let x = 0; x < image.width; x++) resampleLine(image.data, x * 4, row, out.data, x * 4, row, down);
  return out;
}

/** One line of pixels, `step` bytes apart from `start`. Storing into a clamped array does Pillow's clipping. */
function resampleLine(
  source: Uint8ClampedArray,
  start: number,
  step: number,
  target: Uint8ClampedArray,
  targetStart: number,
  targetStep: number,
  { first, count, weights, reach }: Taps,
): void {
  const half = 1 << (FIXED_POINT_BITS - 1);
  for (let i = 0, to = targetStart; i < first.length; i++, to += targetStep) {
    let [red, green, blue, alpha] = [half, half, half, half];
    let from = start + (first[i] as number) * step;
    const end = i * reach + (count[i] as number);
    for (let tap = i * reach; tap < end; tap++, from += step) {
      const weight = weights[tap] as number;
      red += (source[from] as number) * weight;
      green += (source[from + 1] as number) * weight;
      blue += (source[from + 2] as number) * weight;
      alpha += (source[from + 3] as number) * weight;
    }
    target[to] = red >> FIXED_POINT_BITS;
    target[to + 1] = green >> FIXED_POINT_BITS;
    target[to + 2] = blue >> FIXED_POINT_BITS;
    target[to + 3] = alpha >> FIXED_POINT_BITS;
  }
}
