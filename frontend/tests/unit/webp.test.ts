/** Orientation in WebP files of all kinds, broken ones too. */

import { expect, test } from 'vitest';
import { takeOrientation } from '../../src/webp.ts';
import { riff } from '../files.ts';

const BIG = '4d4d002a00000008000101120003000000010006000000000000';
const LITTLE = '49492a0008000000010012010300010000000800000000000000';
const SECOND = '4d4d002a000000080002010f0002000000010000000001120003000000010003000000000000';

function webp(...chunks: Buffer[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(riff('RIFF', Buffer.concat([Buffer.from('WEBP'), ...chunks])));
}

const exif = (hex: string) => riff('EXIF', Buffer.from(hex, 'hex'));

test.each([
  ['in big-endian TIFF', webp(exif(BIG)), 6],
  ['in little-endian TIFF', webp(exif(LITTLE)), 8],
  ['as JPEGs have it', webp(exif(`457869660000${BIG}`)), 6],
  ['behind other tags', webp(exif(SECOND)), 3],
  ['behind a chunk of odd length', webp(riff('VP8L', Buffer.from([1, 2, 3])), exif(BIG)), 6],
  ['of no number that there is', webp(exif(BIG.replace('00010006', '00010009'))), 1],
  ['in TIFF that breaks off', webp(exif(BIG.slice(0, 30))), 1],
  ['in TIFF that points nowhere', webp(exif('4d4d002a7fffffff')), 1],
  ['in nothing', webp(exif('')), 1],
  ['in a file that breaks off', webp(exif(BIG)).slice(0, 36), 1],
  ['without EXIF', webp(riff('VP8 ', Buffer.alloc(8))), 1],
  ['in no WebP', new Uint8Array(Buffer.from(BIG, 'hex')), 1],
  ['in an empty file', new Uint8Array(), 1],
])('an orientation %s', (_where, bytes, orientation) => {
  expect(takeOrientation(bytes)).toBe(orientation);
});

test('it is struck out, and nothing else is', () => {
  const bytes = webp(riff('VP8 ', Buffer.alloc(8)), exif(BIG));
  takeOrientation(bytes);
  expect(bytes).toEqual(webp(riff('VP8 ', Buffer.alloc(8)), riff('XXXX', Buffer.from(BIG, 'hex'))));
  expect(takeOrientation(bytes)).toBe(1);
});
