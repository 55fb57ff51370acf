/** A real browser at the real service: `AIGE_URL`, by default where `make run` puts it. */

import { mkdirSync } from 'node:fs';
import { createServer } from 'node:http';
import axe from 'axe-core';
import {
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type JSHandle,
  type Locator,
  type Page,
} from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import type { Pixels } from '../../src/overlay/pillow.ts';
import { png } from '../png.ts';

export const BASE = process.env.AIGE_URL ?? 'http://127.0.0.1:8000';
const SHOTS = new URL('../../screenshots/', import.meta.url).pathname;

/** The service's AIGE_ALLOW_HOSTS lets it reach this one. */
const SLOW_STORE = process.env.AIGE_SLOW_STORE ?? '127.0.0.1:8999';

/** No test fails because the machine is slow. */
const WAIT_MS = 60_000;

/** Longer than the local engine takes on a busy machine. */
export const TASK_MS = 90_000;

/** Opens a page for each test, and fails it if the page wrote an error or a warning to the console, or broke. */
export function studio(options: BrowserContextOptions & { readonly args?: readonly string[] } = {}): {
  readonly page: Page;
  readonly context: BrowserContext;
  expected: RegExp;
} {
  const { args = [], ...contextOptions } = options;
  const launching = chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-background-networking', ...args],
  });
  let context: BrowserContext;
  let page: Page;
  let complaints: string[];
  const self = {
    get page() {
      return page;
    },
    get context() {
      return context;
    },
    /** Complaints that the test provokes. */
    expected: /(?!)/,
  };
  beforeAll(async () => void (await launching));
  afterAll(async () => (await launching).close());
  beforeEach(async () => {
    complaints = [];
    self.expected = /(?!)/;
    context = await (await launching).newContext({
      viewport: { width: 1280, height: 860 },
      acceptDownloads: true,
      ...contextOptions,
    });
    page = await context.newPage();
    page.setDefaultTimeout(WAIT_MS);
    // Told of from the start: who begins to listen as a key is pressed may listen too late.
    page.on('filechooser', () => undefined);
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    await page.goto(BASE);
  });
  afterEach(async ({ task }) => {
    if (task.result?.state === 'fail') console.log(await asRead(page));
    await context.close();
    expect(complaints.filter((complaint) => !self.expected.test(complaint))).toEqual([]);
  });
  return self;
}

/** What a person would read, to find out why a test has failed. */
async function asRead(page: Page): Promise<string> {
  const text = await page.locator('body').innerText();
  return `${page.url()}, focus: “${await focused(page)}”\n${text}`;
}

export function tab(page: Page, name: 'Avatar' | 'Background' | 'Compose' | 'Gallery' | 'Verify'): Locator {
  return page.getByRole('tab', { name });
}

/** Presses Tab until the focus is where `name` is. */
export async function tabTo(page: Page, name: RegExp): Promise<void> {
  for (let presses = 0; presses < 120; presses++) {
    await page.keyboard.press('Tab');
    if (name.test(await focused(page))) return;
  }
  throw new Error(`the keyboard does not reach ${name}`);
}

/** The name of what has the focus; empty where nothing has. */
export async function focused(page: Page): Promise<string> {
  return page.evaluate(() => {
    const element = document.activeElement;
    if (!element || element === document.body) return '';
    return element.getAttribute('aria-label') ?? element.closest('label')?.textContent ?? element.textContent ?? '';
  });
}

export async function reaches(page: Page, standing: RegExp | string): Promise<void> {
  await page.getByRole('status').filter({ hasText: standing }).waitFor({ timeout: TASK_MS });
}

export async function makeAvatar(page: Page): Promise<void> {
  await tab(page, 'Avatar').click();
  await page.getByRole('button', { name: 'Use sample photo' }).click();
  await page.getByRole('button', { name: 'Create avatar' }).click();
  await reaches(page, 'Avatar: Done');
}

export async function makeBackground(page: Page): Promise<void> {
  await tab(page, 'Background').click();
  await page.getByRole('textbox', { name: 'Prompt' }).fill('A quiet beach at sunset');
  await page.getByRole('button', { name: 'Create background' }).click();
  await reaches(page, 'Background: Done');
}

/** A file as the file chooser would hand it over. */
export interface Upload {
  readonly name: string;
  readonly mimeType: string;
  readonly buffer: Buffer;
}

/** Brings a picture of one's own to the Compose screen. */
export async function ownPicture(page: Page, group: 'Person' | 'Backdrop', picture: Pixels | Upload): Promise<void> {
  const file = 'data' in picture ? { name: 'own.png', mimeType: 'image/png', buffer: png(picture) } : picture;
  await page.getByLabel(`Your own ${group.toLowerCase()}`).setInputFiles(file);
  await page
    .getByRole('radiogroup', { name: group })
    .locator('[aria-label="Your own"]:checked')
    .waitFor({ state: 'attached' });
}

/** The canvas, once it shows what the service would compose. */
export async function exactPreview(page: Page): Promise<JSHandle | null> {
  return page.waitForSelector('canvas[data-exact=true]');
}

/** Rows of RGBA, as the page shows them. */
export async function pixelsOf(canvas: JSHandle | null): Promise<{ width: number; height: number; data: Uint8Array }> {
  if (!canvas) throw new Error('there is no canvas');
  const { base64, ...size } = await canvas.evaluate((element: HTMLCanvasElement) => {
    const { width, height } = element;
    const { data } = (element.getContext('2d') as CanvasRenderingContext2D).getImageData(0, 0, width, height);
    let text = '';
    for (let i = 0; i < data.length; i += 32_768) text += String.fromCharCode(...data.subarray(i, i + 32_768));
    return { width, height, base64: btoa(text) };
  });
  return { ...size, data: Buffer.from(base64, 'base64') };
}

/** No violation that axe calls serious or critical. */
export async function isAccessible(page: Page): Promise<void> {
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(axe.source);
  const serious = await page.evaluate(async () => {
    const { violations } = await (globalThis as unknown as { axe: typeof axe }).axe.run();
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' ')}`);
  });
  expect(serious).toEqual([]);
}

/** For people to look at, who set AIGE_SHOTS; the folder is not under version control. */
export async function shoot(page: Page, name: string): Promise<void> {
  if (!process.env.AIGE_SHOTS) return;
  mkdirSync(SHOTS, { recursive: true });
  await page.screenshot({ path: `${SHOTS}${name}.png`, fullPage: true, animations: 'disabled' });
}

export interface Stubbed {
  readonly status: string;
  readonly error?: { readonly code: string; readonly message: string };
}

/** The service as it is, but each new task is and stays as told. */
export async function stubTasks(page: Page, { status, error }: Stubbed): Promise<void> {
  const task = {
    aige_task_id: 'stubbed',
    avatar_id: 'stubbed',
    operation: 'avatar',
    status,
    readUrl: null,
    error: error ?? null,
    timeline: ['pending', status].map((passed) => ({ status: passed, at: new Date().toISOString() })),
    attempts: 1,
    engine: 'local',
    notes: [],
  };
  await page.route(/\/api\/v1\/avatar/, (route) =>
    route.fulfill({ status: 201, json: { aige_task_id: 'stubbed', avatar_id: 'stubbed' } }),
  );
  await page.route('**/api/v1/task/stubbed', (route) => route.fulfill({ json: task }));
  await page.route('**/api/v1/task/stubbed/events', (route) =>
    route.fulfill({ contentType: 'text/event-stream', body: `event: status\ndata: ${JSON.stringify(task)}\n\n` }),
  );
}

/** The service lists these tasks, and no others. */
export async function stubList(page: Page, tasks: readonly object[]): Promise<void> {
  await page.route('**/api/v1/tasks?*', (route) => route.fulfill({ json: { tasks, next: null } }));
}

/** Sends the sample photo. */
export async function startAvatar(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Use sample photo' }).click();
  await page.getByRole('button', { name: 'Create avatar' }).click();
}

/** An object store that never answers: what is put there takes for ever. */
export async function slowStore(): Promise<{ readonly url: string; readonly close: () => void }> {
  const server = createServer(() => undefined);
  const { hostname, port } = new URL(`http://${SLOW_STORE}`);
  await new Promise<void>((listening) => server.listen(Number(port), hostname, listening));
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://${SLOW_STORE}/result.png`, close };
}
