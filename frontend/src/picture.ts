/** Pictures that a person brings: upright, in sRGB, no larger than a model can use. */

const MAX_SIDE = 2048;

export class UnreadablePicture extends Error {}

/** As a JPEG: small enough to travel inside a request. */
export async function asPhoto(file: Blob): Promise<Blob> {
  const bitmap = await upright(file);
  return (await drawn(bitmap, true)).convertToBlob({ type: 'image/jpeg', quality: 0.92 });
}

/** As a PNG: what the page then previews is exactly what the service reads. */
export async function asPicture(file: Blob): Promise<Blob> {
  const bitmap = await upright(file);
  const fits = Math.max(bitmap.width, bitmap.height) <= MAX_SIDE;
  // A canvas multiplies transparency in, which loses colours: a picture that may have some is left as it is.
  if (fits && file.type !== 'image/jpeg') return file;
  return (await drawn(bitmap, false)).convertToBlob({ type: 'image/png' });
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
    throw new UnreadablePicture('This file couldn’t be read as a picture. Use PNG, JPEG or WebP.');
  }
}

async function drawn(bitmap: ImageBitmap, onWhite: boolean): Promise<OffscreenCanvas> {
  const scale = Math.min(1, MAX_SIDE / Math.max(bitmap.width, bitmap.height));
  const canvas = new OffscreenCanvas(Math.round(bitmap.width * scale), Math.round(bitmap.height * scale));
  const context = canvas.getContext('2d') as OffscreenCanvasRenderingContext2D;
  context.imageSmoothingQuality = 'high';
  if (onWhite) {
    context.fillStyle = '#fff';
    context.fillRect(0, 0, canvas.width, canvas.height);
  }
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return canvas;
}
