/** What a picture's content credentials say: from the mark on each picture, and of any picture that is dropped. */

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { filled, RED, SIZE } from '../files.ts';
import { png } from '../png.ts';
import { focused, makeBackground, studio, tab, tabTo } from './browser.ts';

const browser = studio();

async function drop(buffer: Buffer, name = 'picture.png'): Promise<void> {
  await browser.page.getByLabel('Picture to verify').setInputFiles({ name, mimeType: 'image/png', buffer });
  await browser.page.getByRole('heading', { name }).waitFor();
}

async function verdict(): Promise<string> {
  return ((await browser.page.locator('.verdict').textContent()) ?? '').trim();
}

test('the mark on a picture opens what it says; one changed byte, and it does not hold', async () => {
  const { page } = browser;
  await makeBackground(page);
  const mark = page.getByRole('button', { name: 'Content credentials: Background' });
  await mark.press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Content credentials' });
  await dialog.getByText('Unchanged since it was signed').waitFor();
  await dialog.getByText('Drawn by a program, without a trained model').waitFor();
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  expect(await mark.evaluate((element) => element === document.activeElement)).toBe(true);

  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Download' }).click(),
  ]);
  const picture = readFileSync(await download.path());
  await tab(page, 'Verify').click();
  await drop(picture);
  expect(await verdict()).toBe('Unchanged since it was signed');
  const middle = picture.indexOf('IDAT') + 1000;
  picture[middle] = (picture[middle] ?? 0) ^ 1;
  await drop(picture, 'changed.png');
  await expect.poll(verdict).toBe('The credentials do not hold');
  await page.getByText('assertion.dataHash.mismatch').waitFor();
});

test('a picture without credentials is no error; what is no picture is named', async () => {
  const { page } = browser;
  browser.expected = /400/;
  await tab(page, 'Verify').click();
  await drop(png(filled(SIZE, RED)));
  expect(await verdict()).toBe('No content credentials');
  await drop(Buffer.from('a letter'), 'letter.png');
  await page
    .getByRole('alert')
    .getByText(/PNG, JPEG or WebP/)
    .waitFor();
});

test('by keyboard alone, and by pasting', async () => {
  const { page } = browser;
  await tabTo(page, /^Avatar$/);
  await page.keyboard.press('ArrowLeft'); // around to the last one
  await page.keyboard.press('Enter');
  await tabTo(page, /^Picture to verify$/);
  const [chooser] = await Promise.all([page.waitForEvent('filechooser'), page.keyboard.press('Enter')]);
  const buffer = png(filled(SIZE, RED));
  await chooser.setFiles({ name: 'chosen.png', mimeType: 'image/png', buffer });
  await page.getByRole('heading', { name: 'chosen.png' }).waitFor();
  expect(await verdict()).toBe('No content credentials');
  expect(await focused(page)).toBe('Picture to verify');
  await page.evaluate((base64) => {
    const clipboardData = new DataTransfer();
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    clipboardData.items.add(new File([bytes], 'pasted.png', { type: 'image/png' }));
    document.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }));
  }, buffer.toString('base64'));
  await page.getByRole('heading', { name: 'pasted.png' }).waitFor();
  expect(await verdict()).toBe('No content credentials');
});
