/** Composes exactly, off the main thread: tens of milliseconds that would make dragging stutter. */

import { expose } from 'comlink';
import { composed, type Placement } from './geometry';
import type { Pixels, Size } from './pillow';
import { isOpaque, readPixels } from './pixels';

let sources: Promise<readonly [person: Pixels, background: Pixels]>;

const composer = {
  /** Takes the two pictures; answers with the person's size, whether it is opaque, and whether both were read exactly. */
  async open(person: Blob, background: Blob): Promise<Size & { opaque: boolean; exact: boolean }> {
    const read = Promise.all([readPixels(person), readPixels(background)]);
    sources = read;
    const [{ width, height, data, exact }, behind] = await read;
    return { width, height, opaque: isOpaque(data), exact: exact && behind.exact };
  },

  /** The pictures that were opened last, composed. */
  async compose(canvas: Size, place: Placement): Promise<ImageData> {
    const [person, background] = await sources;
    return new ImageData(composed(background, person, canvas, place).data, canvas.width, canvas.height);
  },

  async png(canvas: Size, place: Placement): Promise<Blob> {
    const screen = new OffscreenCanvas(canvas.width, canvas.height);
    screen.getContext('2d')?.putImageData(await composer.compose(canvas, place), 0, 0);
    return screen.convertToBlob({ type: 'image/png' });
  },

  /** How many pixels differ between two pictures of the same size. */
  async difference(one: Blob, other: Blob): Promise<number> {
    const [a, b] = [await readPixels(one), await readPixels(other)].map(({ data }) => new Uint32Array(data.buffer));
    return (a as Uint32Array).reduce((total, pixel, i) => total + (pixel === b?.[i] ? 0 : 1), 0);
  },
};

export type Composer = typeof composer;

expose(composer);
