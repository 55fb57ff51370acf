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

/** Which source pixels make a target pixel: those from `first` on, as many as there are weights. */
interface Tap {
  readonly first: number;
  readonly weights: readonly number[];
}

const FIXED_POINT_BITS = 22;
const SUPPORT = 2; // of the cubic, in pixels to either side
const SHARPNESS = -0.5; // `a` in Keys' cubic convolution

export function blank({ width, height }: Size): Pixels {
  return { width, height, data: new Uint8ClampedArray(width * height * 4) };
}

function whole(size: Size): Box {
  return { left: 0, top: 0, right: size.width, bottom: size.height };
}

/** The pixels in `window` of `image`'s `box` resized to `size`. */
export function resize(image: Pixels, size: Size, box: Box = whole(image), window: Box = whole(size)): Pixels {
  const across = taps(image.width, box.left, box.right, size.width).slice(window.left, window.right);
  const down = taps(image.height, box.top, box.bottom, size.height).slice(window.top, window.bottom);
  const lost = { width: image.width - size.width, height: image.height - size.height };
  // Pillow leaves what keeps its size as it is: multiplying transparency in and out would lose colours.
  const kept = lost.width === 0 && lost.height === 0 && box.left === 0 && box.top === 0;
  const source = kept ? image : recoloured(image, (colour, alpha) => dividedBy255(colour * alpha));
  const downFirst = lost.height > 0 && lost.height > lost.width * 2;
  const resized = downFirst
    ? resampled(resampled(source, 'down', down), 'across', across)
    : resampled(resampled(source, 'across', across), 'down', down);
  return kept ? resized : recoloured(resized, (colour, alpha) => (alpha ? Math.trunc((255 * colour) / alpha) : colour));
}

/** `ImageOps.fit(image, size, BICUBIC)`: scaled to cover `size`, centred, cropped. */
export function cover(image: Pixels, size: Size): Pixels {
  const ratio = size.width / size.height;
  const ownRatio = image.width / image.height;
  const width = ownRatio > ratio ? ratio * image.height : image.width;
  const height = ownRatio < ratio ? image.width / ratio : image.height;
  const left = (image.width - width) * 0.5;
  const top = (image.height - height) * 0.5;
  return resize(image, size, { left, top, right: left + width, bottom: top + height });
}

/** Pastes `image` onto `canvas` through its own transparency, its top-left corner at `left`, `top`; inside the canvas. */
export function paste(canvas: Pixels, image: Pixels, left: number, top: number): void {
  for (let y = 0; y < image.height; y++) {
    let to = ((top + y) * canvas.width + left) * 4;
    let from = y * image.width * 4;
    for (let x = 0; x < image.width; x++, to += 4, from += 4) blend(canvas.data, to, image.data, from);
  }
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

function recoloured(image: Pixels, change: (colour: number, alpha: number) => number): Pixels {
  const data = image.data.slice();
  for (let i = 0; i < data.length; i += 4) {
    for (let band = i; band < i + 3; band++) data[band] = change(data[band] as number, data[i + 3] as number);
  }
  return { ...image, data };
}

/** For each of the `target` pixels that lie over the source's `from` to `to`. */
function taps(source: number, from: number, to: number, target: number): Tap[] {
  const [low, high] = [Math.fround(from), Math.fround(to)];
  const scale = Math.fround(high - low) / target;
  const widening = Math.max(scale, 1);
  const support = SUPPORT * widening;
  return Array.from({ length: target }, (_, i) => {
    const centre = low + (i + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - support + 0.5));
    const count = Math.min(source, Math.trunc(centre + support + 0.5)) - first;
    const weights = Array.from({ length: count }, (_, x) => cubic((x + first - centre + 0.5) * (1 / widening)));
    return { first, weights: inFixedPoint(weights) };
  });
}

/** Made to add up to 1. */
function inFixedPoint(weights: readonly number[]): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0) || 1;
  return weights.map((weight) => {
    const share = weight / total;
    return Math.trunc((share < 0 ? -0.5 : 0.5) + share * (1 << FIXED_POINT_BITS));
  });
}

function cubic(offset: number): number {
  const d = Math.abs(offset);
  if (d < 1) return ((SHARPNESS + 2) * d - (SHARPNESS + 3)) * d * d + 1;
  return d < SUPPORT ? (((d - 5) * d + 8) * d - 4) * SHARPNESS : 0;
}

/** Along the rows or the columns. Storing into a clamped array does Pillow's clipping. */
function resampled(image: Pixels, way: 'across' | 'down', taps: readonly Tap[]): Pixels {
  const out = blank(way === 'across' ? { ...image, width: taps.length } : { ...image, height: taps.length });
  const [row, outRow] = [image.width * 4, out.width * 4];
  const lines = way === 'across' ? image.height : image.width;
  const [line, step, outLine, outStep] = way === 'across' ? [row, 4, outRow, 4] : [4, row, 4, outRow];
  for (let n = 0; n < lines; n++) {
    taps.forEach(({ first, weights }, i) => {
      for (let band = 0; band < 4; band++) {
        let sum = 1 << (FIXED_POINT_BITS - 1);
        let from = n * line + first * step + band;
        for (let tap = 0; tap < weights.length; tap++, from += step) {
          sum += (image.data[from] as number) * (weights[tap] as number);
        }
        out.data[n * outLine + i * outStep + band] = sum >> FIXED_POINT_BITS;
      }
    });
  }
  return out;
}
