/** What is lost on the way is asked for again: no task is paid for twice, and no picture given up. */

import { createServer } from 'node:http';
import type { BrowserContext, Route } from 'playwright-core';
import { expect, test } from 'vitest';
import { noise } from '../fixture.ts';
import { png } from '../png.ts';
import { BASE, reaches, startAvatar, stubTasks, studio } from './browser.ts';

const browser = studio();

const HOUR_MS = 3_600_000;
const AWAY = { type: 'about:blank', title: 'Service Unavailable', status: 503, detail: 'It restarts.' };
const away = (route: Route) => route.fulfill({ status: 503, headers: { 'Retry-After': '1' }, json: AWAY });

const accept = (route: Route) =>
  route.fulfill({ status: 201, json: { aige_task_id: 'stubbed', avatar_id: 'stubbed' } });

/** Submissions are answered so, one after the other, and all others with the id `stubbed`; the keys that came. */
async function answerSubmissions(
  context: BrowserContext,
  ...answers: ((route: Route) => Promise<void>)[]
): Promise<string[]> {
  const keys: string[] = [];
  await context.route('**/api/v1/avatar', (route) => {
    keys.push(route.request().headers()['idempotency-key'] ?? '');
    return (answers.shift() ?? accept)(route);
  });
  return keys;
}

const CANCELLED = {
  ...{ aige_task_id: 'stubbed', avatar_id: 'stubbed', operation: 'avatar', readUrl: null },
  ...{ status: 'error', error: { code: 'cancelled', message: 'It was cancelled.' }, timeline: [], notes: [] },
};

/** The methods with which the task is asked for; a deletion ends it. */
async function asked(context: BrowserContext): Promise<string[]> {
  const methods: string[] = [];
  await context.route('**/api/v1/task/stubbed', (route) => {
    methods.push(route.request().method());
    return route.fulfill({ json: CANCELLED });
  });
  return methods;
}

test('photos travel over a slow uplink, however long it takes', async () => {
  const { page, context } = browser;
  const photo = { name: 'noise.png', mimeType: 'image/png', buffer: png(noise([640, 640], 'RGB', 7)) };
  await page.getByLabel('Photos').setInputFiles(photo);
  await page.getByRole('img', { name: 'Photo 1' }).waitFor();
  const line = await context.newCDPSession(page);
  await line.send('Network.enable');
  const speed = { latency: 20, downloadThroughput: 1e7, uploadThroughput: 14_000 };
  await line.send('Network.emulateNetworkConditions', { offline: false, ...speed });
  const began = Date.now();
  const answer = page.waitForResponse('**/api/v1/avatar');
  await page.getByRole('button', { name: 'Create avatar' }).click();
  expect((await answer).status()).toBe(201);
  expect(Date.now() - began).toBeGreaterThan(30_000);
});

test('a picture is fetched once the service is back', async () => {
  const { page } = browser;
  browser.expected = /503/;
  await stubTasks(page, { status: 'done' });
  let fetches = 0;
  await page.route('**/api/v1/storage/objects/**', (route) => {
    fetches++;
    if (fetches === 1) return away(route);
    return route.fulfill({ contentType: 'image/png', body: png(noise([8, 8], 'RGB', 7)) });
  });
  await page.route('**/api/v1/storage/presign', (route) =>
    fetches === 1 && route.request().postData()?.includes('key') ? away(route) : route.fallback(),
  );
  await startAvatar(page);
  await page.getByRole('img', { name: /^Avatar/ }).waitFor();
  await reaches(page, 'Avatar: Done');
});

test('a submission whose answer was lost is sent again an hour later', async () => {
  const { page, context } = browser;
  browser.expected = /ERR_FAILED/;
  await page.clock.install();
  await page.reload();
  await stubTasks(page, { status: 'processing_avatar_model' });
  await page.unroute(/\/api\/v1\/avatar/);
  const keys = await answerSubmissions(context, (route) => route.abort());
  await startAvatar(page);
  await reaches(page, 'Waiting for the service');
  await page.clock.fastForward(HOUR_MS);
  await reaches(page, 'Making the picture');
  expect(keys).toHaveLength(2);
  expect(new Set(keys).size).toBe(1);
});

test('what is cancelled before its answer came is cancelled once it is known', async () => {
  const { page, context } = browser;
  browser.expected = /ERR_FAILED|503/;
  const keys = await answerSubmissions(context, (route) => route.abort(), away, away);
  const methods = await asked(context);
  await startAvatar(page);
  await reaches(page, 'Waiting for the service');
  await page.getByRole('button', { name: 'Cancel' }).click();
  await reaches(page, 'Avatar: Cancelling');
  await reaches(page, 'Avatar: Cancelled');
  expect(methods).toEqual(['DELETE']);
  expect(new Set(keys).size).toBe(1);
});

test('what the service certainly did not take is cancelled at once', async () => {
  const { page } = browser;
  browser.expected = /429/;
  const type = 'https://iana.org/assignments/http-problem-types#quota-exceeded';
  const full = { type, title: 'Quota Exceeded', status: 429, detail: 'Too many tasks.' };
  await page.route('**/api/v1/avatar', (route) =>
    route.fulfill({ status: 429, headers: { 'Retry-After': '60' }, json: full }),
  );
  await startAvatar(page);
  await reaches(page, 'Waiting for the service');
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.getByText('Your avatar appears here.').waitFor();
});

test('what is cancelled on one page is not gone on with by another', async () => {
  const { page, context } = browser;
  browser.expected = /503/;
  let service = away;
  await answerSubmissions(context, ...Array.from({ length: 100 }, () => (route: Route) => service(route)));
  const methods = await asked(context);
  await startAvatar(page);
  await reaches(page, 'Waiting for the service');
  const other = await context.newPage();
  await other.goto(BASE);
  await reaches(other, 'Waiting for the service');
  await page.getByRole('button', { name: 'Cancel' }).click();
  await reaches(other, 'Cancelling');
  service = accept;
  await reaches(page, 'Cancelled');
  await reaches(other, 'Cancelled');
  expect(new Set(methods)).toEqual(new Set(['DELETE']));
});

test.each(['before', 'after'])('an event stream whose line goes dead %s the first event is left', async (when) => {
  const { page } = browser;
  const dead = createServer((_, answer) => {
    answer.writeHead(200, { 'Content-Type': 'text/event-stream', 'Access-Control-Allow-Origin': '*' });
    answer.flushHeaders();
    if (when === 'after') answer.write(': ping\n\n');
  });
  await new Promise<void>((listening) => dead.listen(0, '127.0.0.1', listening));
  try {
    await page.clock.install();
    await page.reload();
    await stubTasks(page, { status: 'error', error: { code: 'engine_error', message: 'It failed.' } });
    const { port } = dead.address() as { port: number };
    await page.route('**/api/v1/task/stubbed/events', (route) => route.continue({ url: `http://127.0.0.1:${port}` }));
    const opened = page.waitForRequest('**/api/v1/task/stubbed/events');
    await startAvatar(page);
    await opened;
    await reaches(page, 'Waiting in the queue');
    await page.clock.fastForward(50_000);
    await page.clock.fastForward(2000);
    await reaches(page, 'Avatar: Error');
  } finally {
    dead.close();
    dead.closeAllConnections();
  }
});
