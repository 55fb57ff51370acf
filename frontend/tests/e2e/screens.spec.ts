/** Each screen in each state, at two widths and in both themes: accessible, and there to be looked at. */

import { expect, test } from 'vitest';
import {
  BASE,
  exactPreview,
  isAccessible,
  makeAvatar,
  makeBackground,
  reaches,
  shoot,
  startAvatar,
  stubList,
  stubTasks,
  studio,
  tab,
} from './browser.ts';
import { remember } from './memory.ts';
import { OVERVIEW, tell } from './overview.ts';

/** Each width and each theme; all four where people look, since axe takes a second for each. */
const VARIANTS = [
  { width: 1280, theme: 'light' },
  { width: 390, theme: 'dark' },
  ...(process.env.AIGE_SHOTS
    ? ([
        { width: 1280, theme: 'dark' },
        { width: 390, theme: 'light' },
      ] as const)
    : []),
] as const;

const browser = studio({ reducedMotion: 'reduce' });

/** In each variant of the same page: what it shows took long enough to make once. */
async function looksRight(name: string): Promise<void> {
  const { page } = browser;
  for (const { width, theme } of VARIANTS) {
    await page.setViewportSize({ width, height: 844 });
    await page.emulateMedia({ colorScheme: theme });
    await isAccessible(page);
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
    await shoot(page, `${name}-${width}-${theme}`);
  }
}

test('empty', async () => {
  await stubList(browser.page, []);
  for (const name of ['Avatar', 'Background', 'Compose', 'Gallery', 'Verify'] as const) {
    await tab(browser.page, name).click();
    await looksRight(`${name.toLowerCase()}-empty`);
  }
  await browser.page.getByRole('button', { name: 'Settings' }).click();
  await browser.page.getByLabel('API key').waitFor();
  await looksRight('settings');
});

test('under way', async () => {
  await stubTasks(browser.page, { status: 'processing_avatar_model' });
  await startAvatar(browser.page);
  await reaches(browser.page, 'Making the picture');
  await looksRight('avatar-running');
});

test('failed', async () => {
  const error = { code: 'no_person_found', message: 'No person is in the photo: send one that shows a face.' };
  await stubTasks(browser.page, { status: 'error', error });
  await startAvatar(browser.page);
  await reaches(browser.page, 'Error');
  await looksRight('avatar-failed');
});

test('out of reach', async () => {
  browser.expected = /ERR_INTERNET_DISCONNECTED/;
  await browser.context.setOffline(true);
  await browser.page.getByText('You are offline.').waitFor();
  await looksRight('avatar-offline');
});

test('done', async () => {
  const { page } = browser;
  await makeAvatar(page);
  await page.getByRole('img', { name: /^Avatar/ }).waitFor();
  await looksRight('avatar-done');
  await makeBackground(page);
  await page.getByRole('img', { name: /^Background/ }).waitFor();
  await looksRight('background-done');
  await tab(page, 'Compose').click();
  await exactPreview(page);
  await looksRight('overlay-placing');
  await page.getByRole('button', { name: 'Render' }).click();
  await page.locator('[data-differing="0"]').waitFor();
  await looksRight('overlay-done');
  await stubList(page, []);
  await tab(page, 'Gallery').click();
  await page.locator('.frame img').nth(2).waitFor();
  await looksRight('gallery-done');
  await page.getByRole('button', { name: /^Picture: / }).click();
  await page.getByText('Content credentials', { exact: true }).click();
  await page.locator('.verdict').waitFor();
  await looksRight('gallery-details');
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('dialog').getByRole('button', { name: 'Download' }).click(),
  ]);
  await page.keyboard.press('Escape');
  await tab(page, 'Verify').click();
  await page.getByLabel('Picture to verify').setInputFiles(await download.path());
  await page.locator('.verdict').waitFor();
  await looksRight('verify-signed');
});

test('the gallery, with all that can become of a task', async () => {
  const { page } = browser;
  await stubList(page, []);
  const kinds = ['avatar', 'background', 'overlay'] as const;
  const codes = [undefined, 'no_person_found', undefined, undefined, 'cancelled', undefined, 'engine_error', undefined];
  const prompt = 'A knight in shining armour before a castle, in the manner of an old oil painting';
  await remember(
    page,
    codes.map((code, at) => ({ operation: kinds[at % 3] ?? 'avatar', prompt, ...(code && { code }) })),
  );
  await tab(page, 'Gallery').click();
  await looksRight('gallery-mixed');
});

test('the operator’s page', async () => {
  const { page } = browser;
  await page.goto(`${BASE}/#/operator`);
  await page.getByRole('heading', { name: 'The last ends' }).waitFor();
  await looksRight('operator');
  await tell(page, OVERVIEW);
  await page.reload();
  await page.locator('.ends summary').first().click();
  await looksRight('operator-busy');
});

test('on a first visit, nothing jumps, and little is loaded', async () => {
  const { page } = browser;
  const sizes: number[] = [];
  page.on('response', async (response) => sizes.push((await response.request().sizes()).responseBodySize));
  await page.reload({ waitUntil: 'networkidle' });
  const shift = await page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        let total = 0;
        new PerformanceObserver((list) => {
          for (const entry of list.getEntries()) total += (entry as PerformanceEntry & { value: number }).value;
        }).observe({ type: 'layout-shift', buffered: true });
        setTimeout(() => resolve(total), 300);
      }),
  );
  expect(shift).toBeLessThan(0.01);
  expect(sizes.reduce((total, size) => total + size, 0)).toBeLessThan(350_000);
});
