/** The composition cases that the service's own tests wrote, and the pictures that they are made of. */

import { readFileSync } from 'node:fs';
import type { Pixels, Size } from '../src/overlay/pillow.ts';

export type Mode = 'RGB' | 'RGBA';

export interface Case {
  readonly name: string;
  readonly canvas: string;
  readonly background: [width: number, height: number];
  readonly background_mode: Mode;
  readonly person: [width: number, height: number];
  readonly person_mode: Mode;
  readonly x: number;
  readonly y: number;
  readonly scale: number;
  readonly sha256: string;
}

export const CASES: readonly Case[] = JSON.parse(
  readFileSync(new URL('../../tests/data/compose/cases.json', import.meta.url), 'utf8'),
);

/** `noise` of tests/media/test_compose_fixture.py. */
export function noise([width, height]: [number, number], mode: Mode, seed: number): Pixels {
  const data = new Uint8ClampedArray(width * height * 4).fill(255);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at += 4) {
      for (let band = 0; band < mode.length; band++) data[at + band] = hash(x, y, band + seed);
    }
  }
  return { width, height, data };
}

function hash(x: number, y: number, band: number): number {
  const mixed = Math.imul(x, 73856093) ^ Math.imul(y, 19349663) ^ Math.imul(band, 83492791);
  return Math.imul(mixed ^ (mixed >>> 13), 1274126177) >>> 24;
}

/** Rows of RGB: what the fixture's hashes are of. */
export function rgb(image: Size & { readonly data: ArrayLike<number> }): Uint8Array {
  const bytes = new Uint8Array(image.width * image.height * 3);
  for (let from = 0, to = 0; to < bytes.length; from += 4) {
    for (let band = 0; band < 3; band++) bytes[to++] = image.data[from + band] as number;
  }
  return bytes;
}
