/** Pictures that a person brings: whatever the browser can show, upright, in sRGB, no larger than a model can use. */

import { Explained } from './api/errors';

const MAX_SIDE = 2048;

/** As a JPEG: small enough to travel inside a request. */
export async function asPhoto(file: File): Promise<File> {
  const jpeg = await redrawn(await shown(file), '#fff', { type: 'image/jpeg', quality: 0.92 });
  return new File([jpeg], file.name, { type: jpeg.type });
}

/** As a PNG that can be read in one way only: the page previews exactly what the service reads. */
export async function asPicture(file: File): Promise<Blob> {
  const image = await shown(file);
  const fits = Math.max(image.naturalWidth, image.naturalHeight) <= MAX_SIDE;
  // A canvas multiplies transparency in and so rounds the colours below it: what need not be redrawn is not.
  return fits && (await isPlain(file)) ? file : redrawn(image, 'transparent', { type: 'image/png' });
}

export async function dataUri(blob: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });
}

/** Decoded as the page would show it: its orientation and its colour profile are applied when it is drawn. */
async function shown(file: File): Promise<HTMLImageElement> {
  const image = new Image();
  image.src = URL.createObjectURL(file);
  try {
    await image.decode();
  } catch {
    throw new Explained(`“${file.name}” couldn’t be read as a picture. Use PNG, JPEG or WebP.`);
  } finally {
    URL.revokeObjectURL(image.src);
  }
  return image;
}

const BIT_DEPTH_AT = 24;
/** PNG chunks that change colours, orientation or the frame that is shown; readers differ in which they heed. */
const CHANGES = /cHRM|cICP|gAMA|iCCP|eXIf|acTL/;

/** A PNG of 8 bits or fewer whose pixels mean what they say. */
async function isPlain(file: Blob): Promise<boolean> {
  const text = new TextDecoder('latin1').decode(await file.arrayBuffer());
  return text.startsWith('PNG\r\n', 1) && text.charCodeAt(BIT_DEPTH_AT) <= 8 && !CHANGES.test(text);
}

function redrawn(image: HTMLImageElement, ground: string, encoding: ImageEncodeOptions): Promise<Blob> {
  const { naturalWidth, naturalHeight } = image;
  const scale = Math.min(1, MAX_SIDE / Math.max(naturalWidth, naturalHeight));
  const [width, height] = [naturalWidth, naturalHeight].map((side) => Math.max(1, Math.round(side * scale)));
  const canvas = new OffscreenCanvas(width as number, height as number);
  const context = canvas.getContext('2d') as OffscreenCanvasRenderingContext2D;
  context.imageSmoothingQuality = 'high';
  context.fillStyle = ground;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  return canvas.convertToBlob(encoding);
}
