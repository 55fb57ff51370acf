/** Composes exactly, off the main thread: tens of milliseconds that would make dragging stutter. */

import { backdrop, composed, differingPixels, type Placement } from './geometry';
import type { Pixels, Size } from './pillow';
import { readPixels } from './pixels';

export type Order =
  | { readonly kind: 'sources'; readonly person: Blob; readonly background: Blob }
  | { readonly kind: 'compose'; readonly canvas: Size; readonly place: Placement }
  | { readonly kind: 'compare'; readonly one: Blob; readonly other: Blob };

/** To each kind of order; null where it could not be carried out. */
export interface Answers {
  readonly sources: { readonly opaque: boolean };
  readonly compose: ImageData;
  readonly compare: number;
}

let sources: Promise<readonly [person: Pixels, background: Pixels]>;
let under: (Pixels & { readonly of: Pixels }) | null = null;

addEventListener('message', async ({ data, ports: [port] }: MessageEvent<Order>) => {
  port?.postMessage(await carriedOut(data).catch(() => null));
});

async function carriedOut(order: Order): Promise<Answers[Order['kind']]> {
  switch (order.kind) {
    case 'sources':
      sources = Promise.all([readPixels(order.person), readPixels(order.background)]);
      return { opaque: isOpaque((await sources)[0]) };
    case 'compose':
      return made(order.canvas, order.place);
    case 'compare':
      return differingPixels(await readPixels(order.one), await readPixels(order.other));
  }
}

async function made(canvas: Size, place: Placement): Promise<ImageData> {
  const [person, background] = await sources;
  if (under?.of !== background || under.width !== canvas.width || under.height !== canvas.height) {
    under = { ...backdrop(background, canvas), of: background };
  }
  const { data, width, height } = composed(under, person, place);
  return new ImageData(data, width, height);
}

function isOpaque({ data }: Pixels): boolean {
  for (let i = 3; i < data.length; i += 4) if (data[i] !== 255) return false;
  return true;
}
