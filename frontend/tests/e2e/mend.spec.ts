/** From a task that failed to the field that mends it, from every screen. */

import { expect, test } from 'vitest';
import { filled, SIZE } from '../files.ts';
import { png } from '../png.ts';
import { exactPreview, ownPicture, reaches, startAvatar, stubTasks, studio, tab } from './browser.ts';

const browser = studio();

const REJECTED = { status: 'error', error: { code: 'content_rejected', message: 'It was refused.' } };
const UNREADABLE = { status: 'error', error: { code: 'invalid_image', message: 'It is damaged.' } };

/** The label of the field that has the focus. */
async function focused(): Promise<string | null> {
  return browser.page.evaluate(() => {
    const element = document.activeElement as HTMLInputElement | null;
    return element?.getAttribute('aria-label') ?? element?.labels?.[0]?.textContent ?? null;
  });
}

async function prompt(text: string): Promise<void> {
  await browser.page.getByRole('textbox', { name: 'Prompt' }).fill(text);
}

async function prompted(): Promise<string> {
  return browser.page.getByRole('textbox', { name: 'Prompt' }).inputValue();
}

async function fromGallery(button: 'Edit the prompt' | 'Replace the picture'): Promise<void> {
  await tab(browser.page, 'Gallery').click();
  await browser.page.getByRole('button', { name: button }).click();
}

test('on its own screen, the prompt is as it has been left', async () => {
  const { page } = browser;
  await stubTasks(page, REJECTED);
  await startAvatar(page);
  await prompt('A kinder portrait');
  await page.getByRole('button', { name: 'Edit the prompt' }).click();
  await expect.poll(focused).toBe('Prompt');
  expect(await prompted()).toBe('A kinder portrait');
});

test('from the gallery, the avatar’s form has what the task was asked with', async () => {
  const { page } = browser;
  await stubTasks(page, REJECTED);
  await prompt('A knight');
  await page.getByRole('radio', { name: '3:4' }).check({ force: true });
  await startAvatar(page);
  await reaches(page, 'Avatar: Error');
  await prompt('Something else');
  await page.getByRole('button', { name: 'Remove photo 1' }).click();
  await fromGallery('Edit the prompt');
  await expect.poll(focused).toBe('Prompt');
  expect(await tab(page, 'Avatar').getAttribute('aria-selected')).toBe('true');
  expect(await prompted()).toBe('A knight');
  expect(await page.getByRole('radio', { name: '3:4' }).isChecked()).toBe(true);
  await page.getByRole('img', { name: 'Photo 1' }).waitFor();
});

test('from the gallery, a background’s prompt is on its screen', async () => {
  const { page } = browser;
  await stubTasks(page, REJECTED);
  await tab(page, 'Background').click();
  await prompt('A quiet beach');
  await page.getByRole('button', { name: 'Create background' }).click();
  await reaches(page, 'Background: Error');
  await prompt('Something else');
  await fromGallery('Edit the prompt');
  await expect.poll(focused).toBe('Prompt');
  expect(await tab(page, 'Background').getAttribute('aria-selected')).toBe('true');
  expect(await prompted()).toBe('A quiet beach');
});

test('a photo is replaced where photos are chosen, or removed where there is no room', async () => {
  const { page } = browser;
  await stubTasks(page, UNREADABLE);
  await startAvatar(page);
  await page.getByRole('button', { name: 'Replace the picture' }).click();
  await expect.poll(focused).toBe('Photos');
  await fromGallery('Replace the picture');
  await expect.poll(focused).toBe('Photos');
  const photos = Array.from({ length: 7 }, (_, index) => {
    return { name: 'image.png', mimeType: 'image/png', buffer: png(filled(SIZE, [32 * index, 0, 0])) };
  });
  await page.getByLabel('Photos').setInputFiles(photos);
  await page.getByRole('img', { name: 'Photo 8' }).waitFor();
  await page.getByRole('button', { name: 'Replace the picture' }).click();
  await expect.poll(focused).toContain('Remove photo 1');
});

test('a picture that was composed is replaced where it was chosen', async () => {
  const { page } = browser;
  await stubTasks(page, UNREADABLE);
  await tab(page, 'Compose').click();
  await ownPicture(page, 'Person', filled(SIZE, [0, 0, 255, 100]));
  await page.getByRole('spinbutton', { name: 'X' }).fill('77');
  await exactPreview(page);
  await page.getByRole('button', { name: 'Render' }).click();
  await page.getByRole('button', { name: 'Replace the picture' }).click();
  await expect.poll(focused).toBe('Your own person');
  await page.getByRole('button', { name: 'Reset' }).click();
  await fromGallery('Replace the picture');
  await expect.poll(focused).toBe('Your own person');
  expect(await tab(page, 'Compose').getAttribute('aria-selected')).toBe('true');
  expect(await page.getByRole('spinbutton', { name: 'X' }).inputValue()).toBe('77');
});
