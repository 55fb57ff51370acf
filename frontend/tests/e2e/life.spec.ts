/** What can come between: a reload, a lost connection, a busy service, a failure. */

import type { Request } from 'playwright-core';
import { expect, test } from 'vitest';
import { noise } from '../fixture.ts';
import { png } from '../png.ts';
import { BASE, reaches, slowStore, startAvatar, stubTasks, studio, tab } from './browser.ts';

const browser = studio();

function submissions(): Request[] {
  const sent: Request[] = [];
  browser.page.on('request', (request) => {
    if (request.method() === 'POST' && request.url().endsWith('/api/v1/avatar')) sent.push(request);
  });
  return sent;
}

/** What is written down of them, without what is kept as bytes. */
async function kept(what: 'drafts' | 'tasks'): Promise<string> {
  return browser.page.evaluate(
    (table) =>
      new Promise<string>((resolve) => {
        indexedDB.open(`aige-${table}`).onsuccess = ({ target }) => {
          const { result } = target as IDBOpenDBRequest;
          const all = result.transaction(table).objectStore(table).getAll();
          all.onsuccess = () => resolve(JSON.stringify(all.result));
        };
      }),
    what,
  );
}

test('a reload in the middle goes on with the task, and posts nothing again', async () => {
  const { page } = browser;
  const sent = submissions();
  await startAvatar(page);
  await reaches(page, /queue|Making|Removing|Saving|Done/);
  await page.reload();
  await reaches(page, 'Avatar: Done');
  await page.getByRole('img', { name: /^Avatar/ }).waitFor();
  expect(sent).toHaveLength(1);
});

test('a reload before the answer sends the very same request with the same key', async () => {
  const { page } = browser;
  const sent = submissions();
  await page.route('**/api/v1/avatar', () => undefined, { times: 1 });
  await startAvatar(page);
  await reaches(page, 'Sending');
  await page.reload();
  await reaches(page, 'Avatar: Done');
  const [first, second] = sent as [Request, Request];
  expect(sent).toHaveLength(2);
  expect(second.headers()['idempotency-key']).toBe(first.headers()['idempotency-key']);
  expect(second.postData()).toBe(first.postData());
});

test('what was typed survives a reload', async () => {
  const { page } = browser;
  await page.getByRole('textbox', { name: 'Prompt' }).fill('A knight in shining armour');
  await page.getByRole('radio', { name: '3:4' }).check({ force: true });
  await expect.poll(() => kept('drafts')).toContain('3:4');
  await page.reload();
  expect(await page.getByRole('textbox', { name: 'Prompt' }).inputValue()).toBe('A knight in shining armour');
  expect(await page.getByRole('radio', { name: '3:4' }).isChecked()).toBe(true);
});

test('photos are kept as bytes, which the page need not hold in memory', async () => {
  const { page } = browser;
  await stubTasks(page, { status: 'processing_avatar_model' });
  await startAvatar(page);
  await reaches(page, 'Making the picture');
  const tasks = await kept('tasks');
  expect(tasks).toContain('"photos":[{}]');
  expect(tasks).not.toContain('base64');
});

test('offline, the page says so, keeps what is written, and goes on afterwards', async () => {
  const { page, context } = browser;
  browser.expected = /ERR_INTERNET_DISCONNECTED/;
  await page.getByRole('button', { name: 'Use sample photo' }).click();
  await context.setOffline(true);
  await page.getByText('You are offline.').waitFor();
  await page.getByRole('button', { name: 'Create avatar' }).click();
  await page.getByText('The service cannot be reached.').waitFor();
  await context.setOffline(false);
  await page.getByRole('button', { name: 'Create avatar' }).click();
  await reaches(page, 'Avatar: Done');
  expect(await page.getByRole('main').page().getByText('You are offline.').count()).toBe(0);
});

test('a busy service is asked again, with the same key', async () => {
  const { page } = browser;
  browser.expected = /503/;
  const sent = submissions();
  const problem = { type: 'about:blank', title: 'Service Unavailable', status: 503, detail: 'Too many tasks.' };
  await page.route(
    '**/api/v1/avatar',
    (route) => route.fulfill({ status: 503, headers: { 'Retry-After': '1' }, json: problem }),
    { times: 1 },
  );
  await startAvatar(page);
  await reaches(page, 'Waiting for the service');
  await reaches(page, 'Avatar: Done');
  const keys = sent.map((request) => request.headers()['idempotency-key']);
  expect(keys).toHaveLength(2);
  expect(new Set(keys).size).toBe(1);
});

test('a photo of nobody fails in words that help, and may be tried again', async () => {
  const { page } = browser;
  const nobody = { name: 'noise.png', mimeType: 'image/png', buffer: png(noise([256, 256], 'RGB', 7)) };
  await page.getByLabel('Photos').setInputFiles(nobody);
  await page.getByRole('textbox', { name: 'Prompt' }).fill('A portrait');
  await page.getByRole('button', { name: 'Create avatar' }).click();
  await reaches(page, 'Avatar: Error');
  await page.getByText('We found no person.').waitFor();
  await page.getByRole('button', { name: 'Try again' }).click();
  await reaches(page, /queue|Making|Removing/);
  await reaches(page, 'Avatar: Error');
});

test('an upload that failed is tried again with a new place, and succeeds', async () => {
  const { page } = browser;
  await stubTasks(page, { status: 'error', error: { code: 'upload_failed', message: 'The store answered with 500.' } });
  await startAvatar(page);
  await page.getByText('The result couldn’t be saved.').waitFor();
  await page.unrouteAll();
  await page.getByRole('button', { name: 'Try again' }).click();
  await reaches(page, 'Avatar: Done');
});

test('where a second try may be charged twice, it is asked first', async () => {
  const { page } = browser;
  await stubTasks(page, {
    status: 'error',
    error: { code: 'engine_outcome_unknown', message: 'The answer was never seen.' },
  });
  const sent = submissions();
  await startAvatar(page);
  await page.getByText('We lost contact').waitFor();
  page.once('dialog', (dialog) => dialog.dismiss());
  await page.getByRole('button', { name: 'Try again' }).click();
  expect(sent).toHaveLength(1);
});

test('a task under way can be cancelled: the service itself ends it', async () => {
  const { page } = browser;
  const store = await slowStore();
  try {
    await page.route('**/api/v1/storage/presign', async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, json: { ...(await response.json()), writeUrl: store.url } });
    });
    await startAvatar(page);
    await reaches(page, 'Saving the picture');
    await page.getByRole('button', { name: 'Cancel' }).click();
    await reaches(page, 'Avatar: Cancelled');
    await page.getByRole('button', { name: 'Try again' }).waitFor();
  } finally {
    store.close();
  }
});

test('a task that the service has forgotten is shown as expired', async () => {
  const { page } = browser;
  browser.expected = /404/;
  await stubTasks(page, { status: 'processing_avatar_model' });
  await startAvatar(page);
  await reaches(page, 'Making the picture');
  const gone = { type: 'about:blank', title: 'Not Found', status: 404, detail: 'There is no such task.' };
  const forget = { status: 404, contentType: 'application/problem+json', body: JSON.stringify(gone) };
  await page.route('**/api/v1/task/stubbed', (route) => route.fulfill(forget));
  await reaches(page, 'Avatar: Expired');
  await page.getByRole('button', { name: 'Try again' }).waitFor();
});

test('a wrong field is explained beside it', async () => {
  const { page } = browser;
  browser.expected = /400/;
  const errors = [{ loc: ['body', 'prompt'], msg: 'must be kinder', type: 'value_error' }];
  const problem = {
    type: 'about:blank',
    title: 'Bad Request',
    status: 400,
    detail: 'The request is not valid.',
    errors,
  };
  await page.route('**/api/v1/avatar', (route) => route.fulfill({ status: 400, json: problem }));
  await startAvatar(page);
  await page.getByText('must be kinder').waitFor();
  await reaches(page, 'Avatar: Not accepted');
});

test('where a key is needed, the settings open, and the key is sent', async () => {
  const { page } = browser;
  browser.expected = /401/;
  const problem = { type: 'about:blank', title: 'Unauthorized', status: 401, detail: 'Send an API key.' };
  await page.route('**/api/v1/**', async (route) => {
    const known = route.request().headers().authorization === 'Bearer right';
    await (known ? route.fallback() : route.fulfill({ status: 401, json: problem }));
  });
  await page.reload();
  await page.getByLabel('API key').fill('right');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('local engine').waitFor();
  await page.reload();
  await page.getByText('local engine').waitFor();
});

test('the page can talk to a service elsewhere', async () => {
  const { page } = browser;
  const elsewhere = BASE.replace('127.0.0.1', 'localhost');
  browser.expected = /CORS|ERR_FAILED/;
  await page.getByRole('button', { name: 'Settings' }).click();
  await page.getByLabel('API base URL').fill(`${elsewhere}/api/v1/`);
  const [request] = await Promise.all([
    page.waitForRequest((one) => one.url() === `${elsewhere}/api/v1/service`),
    page.getByRole('button', { name: 'Save' }).click(),
  ]);
  expect(request.method()).toBe('GET');
});

test('a browser that keeps nothing still makes pictures', async () => {
  const { page } = browser;
  await page.addInitScript(() => {
    indexedDB.open = () => {
      throw new DOMException('no', 'SecurityError');
    };
  });
  await page.reload();
  await startAvatar(page);
  await reaches(page, 'Avatar: Done');
});

test('a click on a tab shows its screen at once', async () => {
  await tab(browser.page, 'Gallery').waitFor();
  const shown = await browser.page.evaluate(async () => {
    document.getElementById('tab-gallery')?.click();
    await Promise.resolve(); // React renders before any other event comes
    return document.querySelector('h1')?.textContent;
  });
  expect(shown).toBe('Gallery');
});

test('Back leads to the screen before', async () => {
  const { page } = browser;
  await tab(page, 'Gallery').click();
  await tab(page, 'Compose').click();
  await page.goBack();
  expect(await tab(page, 'Gallery').getAttribute('aria-selected')).toBe('true');
});
