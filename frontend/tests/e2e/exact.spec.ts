/** The preview in a real browser, its decoding included, against Pillow: through the page itself. */

import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { CANVASES, type CanvasSize } from '../../src/sizes.ts';
import { CASES, noise, rgb } from '../fixture.ts';
import { exactPreview, ownPicture, pixelsOf, studio, TASK_MS, tab } from './browser.ts';

const browser = studio();

// One page for all of them: opening it anew takes longer than composing.
test('no pixel differs, in any case', async () => {
  const { page } = browser;
  await tab(page, 'Compose').click();
  for (const fixed of CASES) {
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
    // Until then, the page may still show the case before.
    await expect
      .poll(async () => sha256(rgb(await pixelsOf(await exactPreview(page)))), {
        timeout: TASK_MS,
        interval: 500,
        message: fixed.name,
      })
      .toBe(fixed.sha256);
  }
});

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
