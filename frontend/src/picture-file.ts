/** Pictures that a person brings: whatever the browser can show, upright, in sRGB, no larger than a model can use. */

import { Explained } from './api/errors';
import { takeOrientation } from './webp';

const MAX_SIDE = 2048;

/** Eight of them, in base64, fit into a request. */
const MAX_SIGNED_BYTES = 2_500_000;

/** As a JPEG: small enough to travel inside a request. With content credentials as it is, for a JPEG would lose them. */
export async function asPhoto(file: File): Promise<File> {
  const picture = await shown(file);
  const travels = file.type.startsWith('image/') && file.size <= MAX_SIGNED_BYTES;
  if (travels && isSigned(picture.bytes)) return file;
  const jpeg = await redrawn(picture, '#fff', { type: 'image/jpeg', quality: 0.92 });
  return new File([jpeg], file.name, { type: jpeg.type });
}

/** As a PNG that can be read in one way only: the page previews exactly what the service reads. */
export async function asPicture(file: File): Promise<Blob> {
  const picture = await shown(file);
  const fits = Math.max(picture.image.naturalWidth, picture.image.naturalHeight) <= MAX_SIDE;
  // A canvas multiplies transparency in and so rounds the colours below it: what need not be redrawn is not.
  return fits && isPlain(picture.bytes) ? file : redrawn(picture, 'transparent', { type: 'image/png' });
}

export async function dataUri(blob: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });
}

/** Its bytes as they are now: the file on the disk may change, or go, before they are sent. */
export async function copied(file: Blob): Promise<Blob> {
  return new Blob([await file.arrayBuffer()], { type: file.type });
}

/** What a data URI holds. */
export async function blobOf(uri: string): Promise<Blob> {
  return (await fetch(uri)).blob();
}

/** A picture as the browser shows it; `orientation` is what it leaves to do, as EXIF counts. */
interface Shown {
  readonly bytes: Uint8Array;
  readonly image: HTMLImageElement;
  readonly orientation: number;
}

/** Its colour profile, and other orientation, the browser applies when it is drawn. */
async function shown(file: File): Promise<Shown> {
  try {
    const bytes = new Uint8Array(await file.arrayBuffer());
    const orientation = takeOrientation(bytes);
    const image = new Image();
    image.src = URL.createObjectURL(new Blob([bytes], { type: file.type }));
    await image.decode().finally(() => URL.revokeObjectURL(image.src));
    return { bytes, image, orientation };
  } catch {
    throw new Explained(`“${file.name}” couldn’t be read as a picture. Use PNG, JPEG or WebP.`);
  }
}

const BIT_DEPTH_AT = 24;
/** PNG chunks that change colours, orientation or the frame that is shown; readers differ in which they heed. */
const CHANGES = /cHRM|cICP|gAMA|iCCP|eXIf|acTL/;

/** A PNG of 8 bits or fewer whose pixels mean what they say. */
function isPlain(bytes: Uint8Array): boolean {
  const text = new TextDecoder('latin1').decode(bytes);
  return text.startsWith('PNG\r\n', 1) && text.charCodeAt(BIT_DEPTH_AT) <= 8 && !CHANGES.test(text);
}

const PICTURE = /^(.PNG\r\n|\xff\xd8\xff|RIFF.{4}WEBP)/s;

/** A PNG, JPEG or WebP with a C2PA manifest: a JUMBF description box whose type begins with "c2pa". */
function isSigned(bytes: Uint8Array): boolean {
  const text = new TextDecoder('latin1').decode(bytes);
  return PICTURE.test(text) && text.includes('jumdc2pa');
}

/** By orientation: where a step to the right leads (x, y), and where one down does. */
const TURNS = [
  [1, 0, 0, 1],
  [-1, 0, 0, 1],
  [-1, 0, 0, -1],
  [1, 0, 0, -1],
  [0, 1, 1, 0],
  [0, 1, -1, 0],
  [0, -1, -1, 0],
  [0, -1, 1, 0],
] as const;

function redrawn({ image, orientation }: Shown, ground: string, encoding: ImageEncodeOptions): Promise<Blob> {
  const sides = [image.naturalWidth, image.naturalHeight];
  const scale = Math.min(1, MAX_SIDE / Math.max(...sides));
  const [width, height] = sides.map((side) => Math.max(1, Math.round(side * scale))) as [number, number];
  const canvas = orientation > 4 ? new OffscreenCanvas(height, width) : new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d') as OffscreenCanvasRenderingContext2D;
  context.imageSmoothingQuality = 'high';
  context.fillStyle = ground;
  context.fillRect(0, 0, canvas.width, canvas.height);
  const [a, b, c, d] = TURNS[orientation - 1] ?? TURNS[0];
  context.setTransform(a, b, c, d, canvas.width / 2, canvas.height / 2);
  context.drawImage(image, -width / 2, -height / 2, width, height);
  return canvas.convertToBlob(encoding);
}
