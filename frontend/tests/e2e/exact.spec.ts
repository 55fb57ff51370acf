/** The preview in a real browser, its decoding included, against Pillow: through the page itself. */

import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { CANVASES, type CanvasSize } from '../../src/sizes.ts';
import { CASES, noise, rgb } from '../fixture.ts';
import { exactPreview, ownPicture, pixelsOf, studio, tab } from './browser.ts';

const browser = studio();

test.each(CASES)('no pixel differs: $name', async (fixed) => {
  const { page } = browser;
  await tab(page, 'Compose').click();
  await ownPicture(page, 'Person', noise(fixed.person, fixed.person_mode, 2));
  await ownPicture(page, 'Backdrop', noise(fixed.background, fixed.background_mode, 1));
  const { width, height } = CANVASES[fixed.canvas as CanvasSize];
  await page.getByRole('radio', { name: `${width} × ${height}` }).check({ force: true });
  for (const [name, value] of [
    ['X', fixed.x],
    ['Y', fixed.y],
    ['Scale', fixed.scale],
  ] as const) {
    await page.getByRole('spinbutton', { name }).fill(String(value));
  }
  const preview = await pixelsOf(await exactPreview(page));
  expect(createHash('sha256').update(rgb(preview)).digest('hex')).toBe(fixed.sha256);
});
