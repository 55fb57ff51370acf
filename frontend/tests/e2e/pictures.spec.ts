/** Pictures of one's own in whatever format the browser shows: what is previewed is what is made. */

import { expect, test } from 'vitest';
import type { Pixels } from '../../src/overlay/pillow.ts';
import {
  AVIF,
  BLUE,
  bmp,
  displayP3,
  filled,
  GIF,
  GREEN,
  nearly,
  RED,
  SIZE,
  turnedByXmp,
  turnedJpeg,
  turnedPng,
  turnedWebp,
} from '../files.ts';
import { noise } from '../fixture.ts';
import { png } from '../png.ts';
import { exactPreview, ownPicture, pixelsOf, reaches, studio, tab } from './browser.ts';

const browser = studio();

test('of two quick choices, the last one is chosen', async () => {
  const { page } = browser;
  await tab(page, 'Compose').click();
  const large = filled({ width: 2100, height: 2100 }, [200, 90, 40, 100]);
  const file = { name: 'large.png', mimeType: 'image/png', buffer: png(large) };
  await page.getByLabel('Your own backdrop').setInputFiles(file);
  await ownPicture(page, 'Backdrop', filled(SIZE, GREEN));
  // The large one has been read when such another one has that was chosen after it.
  await ownPicture(page, 'Person', large);
  const { data } = await pixelsOf(await exactPreview(page));
  expect([...data.subarray(0, 3)]).toEqual(GREEN);
});

/** `picture` as the browser itself writes it in another format. */
async function encoded(picture: Pixels, type: 'image/jpeg' | 'image/webp'): Promise<Buffer> {
  const base64 = await browser.page.evaluate(
    async ([data, wanted]) => {
      const bitmap = await createImageBitmap(await (await fetch(`data:image/png;base64,${data}`)).blob());
      const canvas = Object.assign(document.createElement('canvas'), { width: bitmap.width, height: bitmap.height });
      canvas.getContext('2d')?.drawImage(bitmap, 0, 0);
      return canvas.toDataURL(wanted).split(',')[1] as string;
    },
    [png(picture).toString('base64'), type] as const,
  );
  return Buffer.from(base64, 'base64');
}

const SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="60" height="40"><circle r="30" fill="teal"/></svg>';

test.each<[name: string, mimeType: string, buffer: () => Promise<Buffer> | Buffer]>([
  ['a.gif', 'image/gif', () => GIF],
  ['a.avif', 'image/avif', () => AVIF],
  ['a.bmp', 'image/bmp', () => bmp(noise([60, 40], 'RGB', 3))],
  ['a.svg', 'image/svg+xml', () => Buffer.from(SVG)],
  ['a.webp', 'image/webp', () => encoded(noise([60, 40], 'RGBA', 3), 'image/webp')],
  ['a JPEG by the name of a.png', 'image/png', () => encoded(noise([60, 40], 'RGB', 3), 'image/jpeg')],
  ['an AVIF by the name of a.png', 'image/png', () => AVIF],
  ['turned.png', 'image/png', () => turnedPng(noise([60, 40], 'RGBA', 3))],
  ['p3.png', 'image/png', () => displayP3(noise([60, 40], 'RGBA', 3))],
])('%s is made as previewed', async (name, mimeType, buffer) => {
  const { page } = browser;
  await tab(page, 'Compose').click();
  await ownPicture(page, 'Backdrop', { name, mimeType, buffer: await buffer() });
  await ownPicture(page, 'Person', filled(SIZE, [200, 90, 40, 100]));
  await exactPreview(page);
  await page.getByRole('button', { name: 'Render' }).click();
  await reaches(page, /Picture: (Done|Error|Not accepted)/);
  await page.locator('[data-differing="0"]').waitFor();
});

/** The preview's colour at points (shares of its width and height) that no person covers. */
async function colours(background: Buffer, points: readonly (readonly [x: number, y: number])[]): Promise<number[][]> {
  const { page } = browser;
  await tab(page, 'Compose').click();
  await page.getByRole('radio', { name: '1024 × 1024' }).check({ force: true });
  await ownPicture(page, 'Person', filled({ width: 1, height: 1 }, [0, 0, 0, 0]));
  await ownPicture(page, 'Backdrop', { name: 'image.jpg', mimeType: 'image/jpeg', buffer: background });
  return points.map(pointsOf(await pixelsOf(await exactPreview(page))));
}

function pointsOf({ width, height, data }: Awaited<ReturnType<typeof pixelsOf>>) {
  return ([x, y]: readonly [number, number]) => {
    const at = (Math.floor(y * height) * width + Math.floor(x * width)) * 4;
    return [...data.subarray(at, at + 3)];
  };
}

/** The left half is red, the right one blue. */
const HALVES = filled(SIZE, BLUE);
for (let at = 0; at < HALVES.data.length; at += 4) if ((at / 4) % SIZE.width < SIZE.width / 2) HALVES.data.set(RED, at);
const ABOVE_AND_BELOW = [
  [0.5, 0.1],
  [0.5, 0.9],
] as const;
const LEFT_AND_RIGHT = [
  [0.1, 0.5],
  [0.9, 0.5],
] as const;

test.each([
  ['EXIF in a JPEG', 'turns', async () => turnedJpeg(await encoded(HALVES, 'image/jpeg')), ABOVE_AND_BELOW],
  ['EXIF in a PNG', 'turns', async () => turnedPng(HALVES), ABOVE_AND_BELOW],
  ['EXIF in a WebP', 'turns', async () => turnedWebp(await encoded(HALVES, 'image/webp')), ABOVE_AND_BELOW],
  ['XMP', 'does not turn', async () => turnedByXmp(await encoded(HALVES, 'image/jpeg')), LEFT_AND_RIGHT],
] as const)('%s %s a picture', async (_kind, _effect, make, points) => {
  expect((await colours(await make(), points)).map(nearly)).toEqual([RED, BLUE]);
});

test('colours are those that the profile means', async () => {
  const shown = await colours(displayP3(filled(SIZE, [102, 168, 82])), [[0.5, 0.5]]);
  expect(shown).toEqual([[77, 170, 69]]); // as LittleCMS converts it too
});

test.each([
  ['gif', GIF],
  ['avif', AVIF],
])('transparency stays: %s', async (kind, buffer) => {
  const { page } = browser;
  await tab(page, 'Compose').click();
  await ownPicture(page, 'Backdrop', filled(SIZE, RED));
  await ownPicture(page, 'Person', { name: `person.${kind}`, mimeType: `image/${kind}`, buffer });
  // The person stands in the middle; the left half of it is transparent.
  const colourAt = pointsOf(await pixelsOf(await exactPreview(page)));
  expect(colourAt([0.4, 0.5])).toEqual(RED);
  expect(nearly(colourAt([0.6, 0.5]))).toEqual(BLUE);
  expect(await page.getByText('has no transparency').count()).toBe(0);
});
