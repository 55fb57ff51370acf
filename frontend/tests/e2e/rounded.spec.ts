/** A browser without WebGL: the preview is nearly exact, and says so where it matters. */

import { expect, test } from 'vitest';
import { filled, RED, SIZE } from '../files.ts';
import { exactPreview, ownPicture, studio, tab } from './browser.ts';

const browser = studio({ args: ['--use-gl=disabled'] });

test.each([
  ['translucent', 100, 1],
  ['opaque', 255, 0],
])('with a person that is %s', async (_kind, alpha, warnings) => {
  const { page } = browser;
  await tab(page, 'Compose').click();
  await ownPicture(page, 'Person', filled(SIZE, [...RED, alpha]));
  await exactPreview(page);
  expect(await page.getByText('This browser rounds').count()).toBe(warnings);
});
