/** Which service is asked, with which key: a wrong answer to that costs nothing but a right one. */

import { expect, test } from 'vitest';
import { filled, SIZE } from '../files.ts';
import { BASE, exactPreview, ownPicture, reaches, startAvatar, stubTasks, studio, tab } from './browser.ts';

const browser = studio();

const UNAUTHORIZED = { type: 'about:blank', title: 'Unauthorized', status: 401, detail: 'Send an API key.' };

async function save(label: 'API base URL' | 'API key', value: string): Promise<void> {
  const { page } = browser;
  await page.getByRole('button', { name: 'Settings' }).click();
  await page.getByLabel(label).fill(value);
  await page.getByRole('button', { name: 'Save' }).click();
}

/** At another address, also after a reload; the right one can be put back. */
async function elsewhereItSays(words: string): Promise<void> {
  const { page } = browser;
  await save('API base URL', `${BASE}/elsewhere`);
  await page.getByText(words).waitFor();
  await page.reload();
  await page.getByText(words).waitFor();
  await save('API base URL', '/api/v1');
  await page.getByText('local engine').waitFor();
}

test('where no AIGE answers, the studio says so', async () => {
  const { page } = browser;
  await page.route('**/elsewhere/**', (route) => route.fulfill({ contentType: 'text/html', body: '<title>x</title>' }));
  await elsewhereItSays('The service can’t be reached.');
});

test('a service that does not name the engines of its verbs is used', async () => {
  const { page } = browser;
  await page.route('**/api/v1/service', async (route) => {
    const { engines: _, ...older } = await (await route.fetch()).json();
    await route.fulfill({ json: older });
  });
  await page.reload();
  await page.getByText('local engine').waitFor();
});

test('where the page breaks, the settings can be changed', async () => {
  const { page } = browser;
  browser.expected = /not valid as a React child|error/i;
  await page.route('**/elsewhere/service', (route) => route.fulfill({ json: { limits: { source_images: {} } } }));
  await elsewhereItSays('This page broke.');
});

test('another key for a moment loses no task', async () => {
  const { page } = browser;
  browser.expected = /404/;
  await stubTasks(page, { status: 'processing_avatar_model' });
  const gone = { type: 'about:blank', title: 'Not Found', status: 404, detail: 'There is no such task.' };
  await page.route('**/api/v1/task/**', async (route) => {
    const isOther = route.request().headers().authorization === 'Bearer other';
    await (isOther ? route.fulfill({ status: 404, json: gone }) : route.fallback());
  });
  await startAvatar(page);
  await reaches(page, 'Making the picture');
  await save('API key', 'other');
  await reaches(page, 'Avatar: Expired');
  await save('API key', '');
  await reaches(page, 'Making the picture');
});

test('a key may have any letters', async () => {
  const { page } = browser;
  browser.expected = /401/;
  await page.route('**/api/v1/service', async (route) => {
    const sent = await route.request().headerValue('authorization');
    await (sent === 'Bearer schlüssel-ключ' ? route.fallback() : route.fulfill({ status: 401, json: UNAUTHORIZED }));
  });
  await page.reload();
  await page.getByLabel('API key').fill('schlüssel-ключ');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('local engine').waitFor();
});

test('whoever needs no key goes on without one, and whoever types one is not interrupted', async () => {
  const { page } = browser;
  browser.expected = /401|503/;
  let status = 401;
  let asked = 0;
  await page.route('**/api/v1/service', (route) => {
    asked++;
    return route.fulfill({ status, json: { ...UNAUTHORIZED, status } });
  });
  const twice = async () => {
    const before = asked;
    await expect.poll(() => asked).toBeGreaterThan(before + 1);
  };
  await page.reload();
  const dialog = page.getByRole('dialog');
  await page.getByLabel('API key').fill('half a k');
  status = 503;
  await twice();
  expect(await page.getByLabel('API key').inputValue()).toBe('half a k');
  status = 401;
  await page.getByRole('button', { name: 'Close' }).click();
  await twice();
  expect(await dialog.count()).toBe(0);
  await save('API key', 'wrong');
  await dialog.getByText('This service asks for an API key').waitFor();
});

test('what is undone in the settings leaves the composition alone', async () => {
  const { page } = browser;
  await tab(page, 'Compose').click();
  await ownPicture(page, 'Person', filled(SIZE, [0, 0, 255, 100]));
  await exactPreview(page);
  await page.getByRole('spinbutton', { name: 'X' }).fill('77');
  await page.getByRole('button', { name: 'Settings' }).click();
  await page.getByLabel('API base URL').pressSequentially('zz');
  await page.keyboard.press('Control+z');
  await page.getByRole('button', { name: 'Close' }).click();
  expect(await page.getByRole('spinbutton', { name: 'X' }).inputValue()).toBe('77');
});
