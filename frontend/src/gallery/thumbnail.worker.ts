/** Makes small copies off the main thread: drawing a large picture takes longer than a frame. */

import { expose } from 'comlink';

/** Twice a card's width, for screens with small pixels. */
const WIDTH = 480;

let last: Promise<unknown> = Promise.resolve();

/** One after the other, for a full picture takes megabytes while it is drawn. */
function thumbnail(picture: Blob): Promise<Blob> {
  const making = last.then(() => drawn(picture));
  last = making.catch(() => undefined);
  return making;
}

async function drawn(picture: Blob): Promise<Blob> {
  const full = await createImageBitmap(picture);
  try {
    if (full.width <= WIDTH) return picture;
    const canvas = new OffscreenCanvas(WIDTH, Math.round((full.height * WIDTH) / full.width));
    const context = canvas.getContext('2d') as OffscreenCanvasRenderingContext2D;
    context.imageSmoothingQuality = 'high';
    context.drawImage(full, 0, 0, canvas.width, canvas.height);
    return await canvas.convertToBlob({ type: 'image/webp', quality: 0.85 });
  } finally {
    full.close();
  }
}

export type Thumbnails = typeof thumbnail;

expose(thumbnail);
