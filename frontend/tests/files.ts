/** Picture files as people bring them, beyond plain PNG: each of them small. */

import { deflateSync } from 'node:zlib';
import type { Pixels, Size } from '../src/overlay/pillow.ts';
import { chunk, png } from './png.ts';

export type Colour = readonly [red: number, green: number, blue: number, alpha?: number];

export const SIZE: Size = { width: 60, height: 40 };
export const RED = [255, 0, 0] as const;
export const GREEN = [0, 255, 0] as const;
export const BLUE = [0, 0, 255] as const;

/** In steps of 255: what is lossy is only nearly what it was made of. */
export function nearly(colour: readonly number[]): number[] {
  return colour.map((value) => Math.round(value / 255) * 255);
}

export function filled({ width, height }: Size, [red, green, blue, alpha = 255]: Colour): Pixels {
  const data = new Uint8ClampedArray(width * height * 4);
  for (let at = 0; at < data.length; at += 4) data.set([red, green, blue, alpha], at);
  return { width, height, data };
}

/** 32 by 24 pixels; the left half is transparent, the right one #0078c8. */
export const GIF = Buffer.from(
  'R0lGODlhIAAYAIEAAAAAAAB4yAAAAAAAACH5BAEAAAAALAAAAAAgABgAQAhaAAEIHEiwIIAACBMqXBjAoMOBDCMmfPhQokSKDi1GxGhQI0OOBT0uBElQ' +
    'pEKSEE0iRClQ5UqWLhvCdMnyIM2ZKmvG1HkT5U6cJnnmBCpSaFCiHo0WRapRqceAADs=',
  'base64',
);

/** The same, nearly: it is lossy. */
export const AVIF = Buffer.from(
  'AAAAIGZ0eXBhdmlmAAAAAGF2aWZtaWYxbWlhZk1BMUIAAAGGbWV0YQAAAAAAAAAhaGRscgAAAAAAAAAAcGljdAAAAAAAAAAAAAAAAAAAAAAOcGl0bQAA' +
    'AAAAAQAAACxpbG9jAAAAAEQAAAIAAQAAAAEAAAHLAAAANAACAAAAAQAAAa4AAAAdAAAAQmlpbmYAAAAAAAIAAAAaaW5mZQIAAAAAAQAAYXYwMUNv' +
    'bG9yAAAAABppbmZlAgAAAAACAABhdjAxQWxwaGEAAAAAGmlyZWYAAAAAAAAADmF1eGwAAgABAAEAAADDaXBycAAAAJ1pcGNvAAAAFGlzcGUAAAAAAAAA' +
    'IAAAABgAAAAQcGl4aQAAAAADCAgIAAAADGF2MUOBAAwAAAAAE2NvbHJuY2x4AAEADQAGgAAAAA5waXhpAAAAAAEIAAAADGF2MUOBABwAAAAAOGF1eEMA' +
    'AAAAdXJuOm1wZWc6bXBlZ0I6Y2ljcDpzeXN0ZW1zOmF1eGlsaWFyeTphbHBoYQAAAAAeaXBtYQAAAAAAAAACAAEEAQKDBAACBAEFhgcAAABZbWRhdBIA' +
    'CgUYET92FTISFkAYYUASMMX+XN6cm18MP5/oEgAKCRgRP3aICGg0IDIlF4eHhiGEkkkmUAAAALzj3c1xhA9eTDBb+4qSxU2Ncmc19Gq77Q==',
  'base64',
);

/** 32 bits a pixel, bottom row first, opaque. */
export function bmp({ width, height, data }: Pixels): Buffer {
  const [header, pixels] = [Buffer.alloc(54), Buffer.alloc(width * height * 4)];
  header.write('BM');
  for (const [at, value] of [
    [2, 54 + pixels.length],
    [10, 54],
    [14, 40],
    [18, width],
    [22, height],
    [26, 1 | (32 << 16)], // one plane
  ] as const) {
    header.writeUInt32LE(value, at);
  }
  for (let at = 0; at < pixels.length; at += 4) {
    const row = height - 1 - Math.floor(at / 4 / width);
    const from = row * width * 4 + (at % (width * 4));
    pixels.set([data[from + 2] ?? 0, data[from + 1] ?? 0, data[from] ?? 0, 255], at);
  }
  return Buffer.concat([header, pixels]);
}

/** EXIF that says: turn me clockwise by 90 degrees to see me upright. */
const TURNED = Buffer.from('4d4d002a00000008000101120003000000010006000000000000', 'hex');

export function turnedPng(pixels: Pixels): Buffer {
  return png(pixels, chunk('eXIf', TURNED));
}

/** A JPEG of somebody else's with that EXIF put in front. */
export function turnedJpeg(jpeg: Buffer): Buffer {
  return withSegment(jpeg, Buffer.concat([Buffer.from('Exif\0\0'), TURNED]));
}

/** A WebP of the extended kind, which browsers write, with that EXIF put behind. */
export function turnedWebp(webp: Buffer): Buffer {
  const body = Buffer.concat([webp.subarray(8), riff('EXIF', TURNED)]);
  body[12] = (body[12] as number) | 0x08; // there is EXIF
  return riff('RIFF', body);
}

export function riff(name: string, body: Buffer): Buffer {
  const size = Buffer.alloc(4);
  size.writeUInt32LE(body.length);
  return Buffer.concat([Buffer.from(name), size, body, Buffer.alloc(body.length % 2)]);
}

/** A JPEG in which XMP alone says the same, which nobody heeds. */
export function turnedByXmp(jpeg: Buffer): Buffer {
  const description = '<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/>';
  const rdf = `<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">${description}</rdf:RDF>`;
  const packet = `<x:xmpmeta xmlns:x="adobe:ns:meta/">${rdf}</x:xmpmeta>`;
  return withSegment(jpeg, Buffer.from(`http://ns.adobe.com/xap/1.0/\0${packet}`));
}

function withSegment(jpeg: Buffer, body: Buffer): Buffer {
  const head = Buffer.from([0xff, 0xe1, 0, 0]);
  head.writeUInt16BE(body.length + 2, 2);
  return Buffer.concat([jpeg.subarray(0, 2), head, body, jpeg.subarray(2)]);
}

/** A PNG whose numbers are meant in Display P3, as phones and Macs write them. */
export function displayP3(pixels: Pixels): Buffer {
  return png(pixels, chunk('iCCP', Buffer.concat([Buffer.from('p3\0\0'), deflateSync(profile())])));
}

/** ICC.1:2022, version 4, matrix and curves; the colorants are those of Display P3, adapted to D50. */
function profile(): Buffer {
  const xyz = (...values: number[]) => Buffer.concat([Buffer.from('XYZ \0\0\0\0'), fixed(...values)]);
  const curve = Buffer.concat([
    Buffer.from('para\0\0\0\0\0\x03\0\0'),
    fixed(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045),
  ]);
  const text = Buffer.concat([Buffer.from('mluc\0\0\0\0'), uint32(1, 12), Buffer.from('enUS'), uint32(4, 28)]);
  const name = Buffer.concat([text, Buffer.from('\0P\x003')]);
  const tags: Record<string, Buffer> = {
    desc: name,
    cprt: name,
    wtpt: xyz(0.9642, 1, 0.8249),
    rXYZ: xyz(0.51512, 0.2412, -0.00105),
    gXYZ: xyz(0.29198, 0.69225, 0.04189),
    bXYZ: xyz(0.1571, 0.06657, 0.78407),
    rTRC: curve,
    gTRC: curve,
    bTRC: curve,
  };
  const entries = Object.entries(tags);
  let at = 128 + 4 + 12 * entries.length;
  const table = entries.map(([tag, body]) => {
    at += body.length;
    return Buffer.concat([Buffer.from(tag), uint32(at - body.length, body.length)]);
  });
  const header = Buffer.alloc(128);
  header.set(uint32(at), 0);
  header.set(Buffer.concat([uint32(0x04400000), Buffer.from('mntrRGB XYZ ')]), 8);
  header.write('acsp', 36);
  header.set(fixed(0.9642, 1, 0.8249), 68);
  return Buffer.concat([header, uint32(entries.length), ...table, ...Object.values(tags)]);
}

function fixed(...values: number[]): Buffer {
  return uint32(...values.map((value) => Math.round(value * 65_536) >>> 0));
}

function uint32(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, index) => {
    bytes.writeUInt32BE(value, index * 4);
  });
  return bytes;
}
