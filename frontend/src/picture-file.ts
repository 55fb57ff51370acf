/** Pictures that a person brings: upright, in sRGB, no larger than a model can use. */

import { Explained } from './api/errors';

const MAX_SIDE = 2048;

/** As a JPEG: small enough to travel inside a request. */
export async function asPhoto(file: File): Promise<File> {
  const jpeg = await redrawn(await upright(file), '#fff', { type: 'image/jpeg', quality: 0.92 });
  return new File([jpeg], file.name, { type: jpeg.type });
}

/** As a PNG: what the page then previews is exactly what the service reads. */
export async function asPicture(file: File): Promise<Blob> {
  const bitmap = await upright(file);
  const fits = Math.max(bitmap.width, bitmap.height) <= MAX_SIDE;
  // A canvas multiplies transparency in, which loses colours: a picture that may have some is left as it is.
  return fits && file.type !== 'image/jpeg' ? file : redrawn(bitmap, 'transparent', { type: 'image/png' });
}

export async function dataUri(blob: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });
}

async function upright(file: Blob): Promise<ImageBitmap> {
  try {
    return await createImageBitmap(file, { imageOrientation: 'from-image' });
  } catch {
    throw new Explained('This file couldn’t be read as a picture. Use PNG, JPEG or WebP.');
  }
}

function redrawn(bitmap: ImageBitmap, ground: string, encoding: ImageEncodeOptions): Promise<Blob> {
  const scale = Math.min(1, MAX_SIDE / Math.max(bitmap.width, bitmap.height));
  const canvas = new OffscreenCanvas(Math.round(bitmap.width * scale), Math.round(bitmap.height * scale));
  const context = canvas.getContext('2d') as OffscreenCanvasRenderingContext2D;
  context.imageSmoothingQuality = 'high';
  context.fillStyle = ground;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return canvas.convertToBlob(encoding);
}
