/** The whole job, as a person does it. */

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { noise } from '../fixture.ts';
import { png } from '../png.ts';
import { exactPreview, makeAvatar, makeBackground, ownPicture, pixelsOf, reaches, studio, tab } from './browser.ts';

const browser = studio();

async function downloaded(): Promise<Buffer> {
  const { page } = browser;
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Download' }).click(),
  ]);
  return readFileSync(await download.path());
}

test('from photo to downloaded picture, whose pixels are those of the preview', async () => {
  const { page } = browser;
  await makeAvatar(page);
  await makeBackground(page);
  await tab(page, 'Compose').click();
  await page.getByRole('spinbutton', { name: 'X' }).fill('311');
  await page.getByRole('spinbutton', { name: 'Scale' }).fill('0.47');
  const preview = await pixelsOf(await exactPreview(page));
  await page.getByRole('button', { name: 'Render' }).click();
  await reaches(page, 'Picture: Done');
  await page.locator('[data-differing="0"]').waitFor();

  const base64 = (await downloaded()).toString('base64');
  const shown = await page.evaluateHandle(async (data) => {
    const bitmap = await createImageBitmap(await (await fetch(`data:image/png;base64,${data}`)).blob());
    const canvas = Object.assign(document.createElement('canvas'), { width: bitmap.width, height: bitmap.height });
    canvas.getContext('2d')?.drawImage(bitmap, 0, 0);
    return canvas;
  }, base64);
  expect([preview.width, preview.height]).toEqual([1024, 576]);
  expect(await pixelsOf(shown)).toEqual(preview);
});

test('a first-time visitor needs at most six clicks', async () => {
  const { page } = browser;
  let clicks = 0;
  const click = async (role: 'button' | 'tab', name: string) => {
    clicks++;
    await page.getByRole(role, { name }).click({ timeout: 60_000 });
  };
  await click('button', 'Use sample photo');
  await click('button', 'Create avatar');
  await reaches(page, 'Avatar: Done');
  await click('tab', 'Compose');
  await click('button', 'Render');
  await reaches(page, 'Picture: Done');
  clicks++;
  expect((await downloaded()).subarray(1, 4).toString()).toBe('PNG');
  expect(clicks).toBeLessThanOrEqual(6);
});

test('where the service changes pixels after placing, before and after can be compared', async () => {
  const { page } = browser;
  await tab(page, 'Compose').click();
  await ownPicture(page, 'Person', noise([300, 300], 'RGBA', 2));
  await exactPreview(page);
  const blended = png(noise([1024, 576], 'RGB', 3));
  await page.route('**/storage/objects/**', (route) =>
    route.request().method() === 'GET' ? route.fulfill({ contentType: 'image/png', body: blended }) : route.fallback(),
  );
  await page.getByRole('button', { name: 'Render' }).click();
  const slider = page.getByRole('slider', { name: 'Before and after' });
  await slider.waitFor();
  await slider.press('ArrowRight');
  expect(await slider.getAttribute('aria-valuenow')).toBe('51');
  await page.getByText(/changed \d+ pixels/).waitFor();
});

test('a person image without transparency comes with a warning', async () => {
  const { page } = browser;
  await tab(page, 'Compose').click();
  await ownPicture(page, 'Person', noise([300, 300], 'RGB', 2));
  await page.getByText('has no transparency').waitFor();
});

test('a download may be read long after the click', async () => {
  const { page } = browser;
  await page.addInitScript(() => {
    const revoke = URL.revokeObjectURL;
    const { click } = HTMLAnchorElement.prototype;
    HTMLAnchorElement.prototype.click = function () {
      document.documentElement.dataset.download = this.href;
      click.call(this);
    };
    URL.revokeObjectURL = (url) => {
      if (url === document.documentElement.dataset.download) document.documentElement.dataset.download = '';
      revoke.call(URL, url);
    };
  });
  await page.clock.install();
  await page.reload();
  await makeBackground(page);
  await downloaded();
  const readable = () => page.evaluate(() => document.documentElement.dataset.download);
  expect(await readable()).toMatch(/^blob:/);
  await page.clock.fastForward(30_000);
  expect(await readable()).toMatch(/^blob:/);
  await page.clock.fastForward(60_000);
  expect(await readable()).toBe('');
});
