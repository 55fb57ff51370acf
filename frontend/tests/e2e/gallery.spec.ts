/** The gallery as a place to work in: by mouse and by keyboard, with tasks of this browser and of others. */

import { readFileSync } from 'node:fs';
import type { Locator } from 'playwright-core';
import { expect, test } from 'vitest';
import { BLUE, GREEN, RED } from '../files.ts';
import { BASE, exactPreview, focused, makeBackground, pixelsOf, stubList, studio, tab, tabTo } from './browser.ts';
import { type Remembered, remember } from './memory.ts';

const browser = studio();

/** A gallery of these alone, without what other tests ask the service for. */
async function gallery(...tasks: Remembered[]): Promise<void> {
  const { page } = browser;
  await stubList(page, []);
  await remember(page, tasks);
  await tab(page, 'Gallery').click();
}

function frames(): Locator {
  return browser.page.locator('.gallery .frame');
}

test('“again like this” brings back prompt, photos and shape', async () => {
  const { page } = browser;
  await gallery({ operation: 'avatar', prompt: 'A pilot' });
  await page.getByRole('button', { name: 'Again like this: Avatar: A pilot' }).click();
  expect(await page.getByRole('textbox', { name: 'Prompt' }).inputValue()).toBe('A pilot');
  expect(await page.getByRole('radio', { name: '3:4' }).isChecked()).toBe(true);
  await page.getByRole('img', { name: 'Photo 1' }).waitFor();
  await expect.poll(() => focused(page)).toBe('A pilot');
});

test('a person and a backdrop are used in Compose, however old they are', async () => {
  const { page } = browser;
  const newer = Array.from({ length: 8 }, () => ({ operation: 'avatar', colour: RED }) as const);
  await gallery(
    ...newer,
    { operation: 'avatar', prompt: 'The blue one', colour: BLUE },
    { operation: 'overlay', prompt: 'The green one', colour: GREEN },
  );
  await page.getByRole('button', { name: 'Use in Compose: Picture: The green one' }).click();
  await tab(page, 'Gallery').click();
  await page.getByRole('button', { name: 'Use in Compose: Avatar: The blue one' }).click();
  expect(await page.getByRole('radio', { name: 'The blue one' }).isChecked()).toBe(true);
  const { data, width, height } = await pixelsOf(await exactPreview(page));
  const middle = (Math.floor(height / 2) * width + Math.floor(width / 2)) * 4;
  expect([[...data.subarray(0, 3)], [...data.subarray(middle, middle + 3)]]).toEqual([GREEN, BLUE]);
});

test('all that is shown is downloaded in one archive', async () => {
  const { page } = browser;
  await gallery(
    { operation: 'avatar' },
    { operation: 'background', prompt: 'A sea' },
    { operation: 'background', code: 'engine_error' },
  );
  const archive = async () => {
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download all' }).click(),
    ]);
    expect(download.suggestedFilename()).toBe('aige-pictures.zip');
    return readFileSync(await download.path()).toString('latin1');
  };
  const names = (text: string) => [...new Set(text.match(/\d{3}-[\w-]+\.png/g))];
  expect(names(await archive())).toEqual(['001-avatar-a-knight.png', '002-background-a-sea.png']);
  await page.getByRole('radio', { name: 'Backgrounds' }).check({ force: true });
  expect(names(await archive())).toEqual(['001-background-a-sea.png']);
});

test('filters, by keyboard', async () => {
  const { page } = browser;
  await gallery(
    { operation: 'avatar', code: 'no_person_found' },
    { operation: 'avatar' },
    { operation: 'background', code: 'engine_error' },
  );
  expect(await frames().count()).toBe(3);
  await page.getByRole('radiogroup', { name: 'Kind' }).getByRole('radio', { name: 'All' }).focus();
  await page.keyboard.press('ArrowRight');
  expect(await frames().count()).toBe(2);
  await page.keyboard.press('Tab');
  for (let presses = 0; presses < 3; presses++) await page.keyboard.press('ArrowRight');
  expect(await frames().allTextContents()).toEqual([expect.stringContaining('We found no person.')]);
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('ArrowLeft');
  await page.getByText('Nothing like that.').waitFor();
  await page.getByRole('button', { name: 'Show all' }).click();
  expect(await frames().count()).toBe(3);
});

test('from picture to picture, into the details and out of them, by keyboard', async () => {
  const { page } = browser;
  await gallery(
    { operation: 'avatar', prompt: 'first' },
    { operation: 'background', prompt: 'second' },
    { operation: 'background', prompt: 'third' },
  );
  await frames().first().focus();
  await page.keyboard.press('ArrowRight');
  expect(await focused(page)).toBe('Background: second');
  await page.keyboard.press('Enter');
  const details = page.getByRole('dialog', { name: 'Background' });
  await details.getByText('second', { exact: true }).waitFor();
  expect(await details.getByText('The first note.').isVisible()).toBe(false);
  await details.getByText('Notes (2)').click();
  await details.getByText('The first note.').waitFor();
  await page.keyboard.press('Escape');
  await details.waitFor({ state: 'detached' });
  await expect.poll(() => focused(page)).toBe('Background: second');
  await page.keyboard.press('Enter');
  await details.getByRole('button', { name: 'Remove' }).press('Enter');
  await expect.poll(() => focused(page)).toBe('Background: third');
  expect(await frames().count()).toBe(2);
  await page.reload();
  await expect.poll(() => frames().count()).toBe(2);
});

test('what can be done with a picture, by keyboard', async () => {
  const { page } = browser;
  await gallery({ operation: 'background', prompt: 'A sea' }, { operation: 'avatar', prompt: 'A pilot' });
  await tabTo(page, /^Background: A sea$/);
  for (const label of ['Content credentials', 'Use in Compose', 'Again like this', 'Download']) {
    await page.keyboard.press('Tab');
    expect(await focused(page)).toBe(`${label}: Background: A sea`);
  }
  const [download] = await Promise.all([page.waitForEvent('download'), page.keyboard.press('Enter')]);
  expect(download.suggestedFilename()).toBe('background-a-sea.png');
  await tabTo(page, /^Use in Compose: Avatar: A pilot$/);
  await page.keyboard.press('Enter');
  await expect.poll(() => focused(page)).toBe('Compose');
  expect(await page.getByRole('radio', { name: 'A pilot' }).isChecked()).toBe(true);
  await page.goBack();
  await tabTo(page, /^Avatar: A pilot$/);
  await page.keyboard.press('Enter');
  await tabTo(page, /^Again like this$/);
  await page.keyboard.press('Enter');
  await expect.poll(() => focused(page)).toBe('A pilot');
});

test('of a hundred pictures, only those near the screen are read, and only small copies are shown', async () => {
  const { page } = browser;
  const large = { width: 1200, height: 900 };
  await countUrls();
  await gallery(...Array.from({ length: 100 }, () => ({ operation: 'background', size: large }) as const));
  const widths = () =>
    page.locator('.frame').evaluateAll((all) => all.map((one) => one.querySelector('img')?.naturalWidth ?? 0));
  const shown = async () => (await widths()).filter(Boolean);
  await expect.poll(async () => (await widths())[0]).toBe(480);
  await expect.poll(async () => (await shown()).length).toBeGreaterThan(8);
  expect((await shown()).length).toBeLessThan(60);
  const rendered = await page
    .locator('.item .caption')
    .evaluateAll((all) => all.filter((one) => one.checkVisibility({ contentVisibilityAuto: true })).length);
  expect(rendered).toBeLessThan(60);
  await frames().first().focus();
  await page.keyboard.press('End');
  await expect.poll(async () => (await widths()).at(-1)).toBe(480);
  expect(new Set(await shown())).toEqual(new Set([480]));
  await expect.poll(async () => (await urls()) - (await shown()).length).toBe(0);
  await tab(page, 'Verify').click();
  await expect.poll(urls).toBe(0);
});

/** From the next load on: what is given a URL stays in memory until that is taken back. */
async function countUrls(): Promise<void> {
  await browser.page.addInitScript(() => {
    const live = new Set<string>();
    const { createObjectURL, revokeObjectURL } = URL;
    URL.createObjectURL = (blob) => {
      const url = createObjectURL.call(URL, blob);
      live.add(url);
      return url;
    };
    URL.revokeObjectURL = (url) => {
      live.delete(url);
      revokeObjectURL.call(URL, url);
    };
    Object.assign(globalThis, { liveUrls: live });
  });
}

async function urls(): Promise<number> {
  return browser.page.evaluate(() => (globalThis as unknown as { liveUrls: Set<string> }).liveUrls.size);
}

test('what another browser has made is there, and is used in Compose', async () => {
  const { page } = browser;
  const other = await browser.context.browser()?.newContext();
  const elsewhere = await other?.newPage();
  if (!elsewhere) throw new Error('there is no other browser');
  await elsewhere.goto(BASE);
  await makeBackground(elsewhere);
  await other?.close();
  await tab(page, 'Gallery').click();
  await page.getByRole('button', { name: 'Use in Compose: Background of another browser' }).first().click();
  const own = page.getByRole('radiogroup', { name: 'Backdrop' }).locator('[aria-label="Your own"]:checked');
  await own.waitFor({ state: 'attached' });
});

test('what has been removed does not come back as another browser’s', async () => {
  const { page } = browser;
  await remember(page, [{ operation: 'background' }]);
  await stubList(page, [listed('task-0', 'done', 1), listed('theirs', 'error', 2)]);
  await tab(page, 'Gallery').click();
  await page.getByText('From elsewhere').waitFor();
  expect(await frames().count()).toBe(2);
  await page.getByRole('button', { name: 'Background: A knight', exact: true }).click();
  await page.getByRole('button', { name: 'Remove' }).click();
  for (const anew of [false, true]) {
    if (anew) await page.reload();
    await page.getByText('From elsewhere').waitFor();
    expect(await frames().count()).toBe(1);
  }
});

/** As the service lists it. */
function listed(id: string, status: string, second: number) {
  return {
    ...{ aige_task_id: id, avatar_id: 'a', operation: 'background', status, readUrl: null, error: null, attempts: 1 },
    timeline: [{ status: 'pending', at: new Date(Date.UTC(2030, 0, 1, 0, 0, second)).toISOString() }],
    ...{ engine: 'local', made_by: [], notes: [], progress: null, cost: [], webhook: null },
  };
}

test('older tasks of others are a page away; what they have come to is kept up to date', async () => {
  const { page } = browser;
  let status = 'pending';
  await page.route('**/api/v1/tasks?*', (route) => {
    const isSecond = new URL(route.request().url()).searchParams.get('cursor') === 'more';
    const tasks = isSecond ? [listed('old', 'uploading_image', 1)] : [listed('new', status, 2)];
    return route.fulfill({ json: { tasks, next: isSecond ? null : 'more' } });
  });
  await page.clock.install();
  await tab(page, 'Gallery').click();
  await page.getByText('Waiting in the queue').waitFor();
  await page.getByRole('button', { name: 'Show older ones' }).click();
  await page.getByText('Saving the picture').waitFor();
  expect(await page.getByRole('button', { name: 'Show older ones' }).count()).toBe(0);
  status = 'processing_avatar_model';
  await page.clock.fastForward(6000);
  await page.getByText('Making the picture').waitFor();
  await page.getByText('Saving the picture').waitFor();
});

test('while another filter waits for its answer, what is known stays', async () => {
  const { page } = browser;
  let answer: () => void = () => undefined;
  const waiting = new Promise<void>((resolve) => {
    answer = resolve;
  });
  await page.route('**/api/v1/tasks?*', async (route) => {
    const isFiltered = new URL(route.request().url()).searchParams.has('operation');
    if (isFiltered) await waiting;
    const tasks = [listed('both', 'error', 2), ...(isFiltered ? [listed('filtered', 'error', 1)] : [])];
    await route.fulfill({ json: { tasks, next: isFiltered ? null : 'more' } });
  });
  await tab(page, 'Gallery').click();
  const older = page.getByRole('button', { name: 'Show older ones' });
  await older.waitFor();
  await page.getByRole('radio', { name: 'Backgrounds' }).check({ force: true });
  expect([await frames().count(), await older.count()]).toEqual([1, 0]);
  answer();
  await expect.poll(() => frames().count()).toBe(2);
});

test('what is looked at stays, though it is like the filter no more', async () => {
  const { page } = browser;
  let tasks = [listed('theirs', 'pending', 1)];
  await page.route('**/api/v1/tasks?*', (route) => route.fulfill({ json: { tasks, next: null } }));
  await page.clock.install();
  await tab(page, 'Gallery').click();
  await page.getByRole('radio', { name: 'Under way' }).check({ force: true });
  await frames().click();
  tasks = [];
  await page.clock.fastForward(6000);
  await expect.poll(() => frames().count()).toBe(0);
  expect(await page.getByRole('dialog', { name: 'Background' }).count()).toBe(1);
});

test('a task of which little is remembered, or that ended in an unknown way, is shown too', async () => {
  const { page } = browser;
  const old = { ...listed('old', 'done', 1), made_by: undefined, cost: undefined, notes: undefined };
  const newer = { ...listed('newer', 'error', 2), error: { code: 'of_the_future', message: 'The reason.' } };
  await stubList(page, [old, newer]);
  await tab(page, 'Gallery').click();
  await page.getByText('Something broke on our side.').waitFor();
  await frames().last().click();
  await page.getByRole('dialog').getByText('Asked for', { exact: true }).waitFor();
});
