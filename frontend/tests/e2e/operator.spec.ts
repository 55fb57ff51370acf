/** The operator's page: what the service does, as it does it. */

import { expect, test } from 'vitest';
import { BASE, reaches, slowStore, startAvatar, studio, tabTo } from './browser.ts';
import { OVERVIEW, tell } from './overview.ts';

const browser = studio();

async function visit(): Promise<void> {
  await browser.page.goto(`${BASE}/#/operator`);
}

test('a task is seen in flight, and then how it has ended', async () => {
  const { page } = browser;
  const store = await slowStore();
  const operator = await browser.context.newPage();
  try {
    await page.route('**/api/v1/storage/presign', async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, json: { ...(await response.json()), writeUrl: store.url } });
    });
    const [accepted] = await Promise.all([
      page.waitForResponse((response) => response.url().endsWith('/api/v1/avatar')),
      startAvatar(page),
    ]);
    const { aige_task_id: id } = await accepted.json();
    await reaches(page, 'Saving the picture');
    await operator.goto(BASE);
    await operator.getByRole('link', { name: 'Operator’s page' }).click();
    await operator.getByText('Live').waitFor();
    const saving = operator
      .getByRole('row', { name: /^default/ })
      .getByRole('cell')
      .nth(4);
    expect(Number(await saving.textContent())).toBeGreaterThan(0);
    await page.bringToFront();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await reaches(page, 'Avatar: Cancelled');
    await operator.bringToFront();
    const end = operator.locator('details', { hasText: id });
    await end.locator('summary').press('Enter');
    await end.getByText('The task was cancelled.').waitFor();
    expect(await end.locator('.outcome').textContent()).toBe('cancelled');
  } finally {
    store.close();
  }
});

test('counts by caller and status; ends with their reasons, all by keyboard', async () => {
  const { page } = browser;
  await tell(page, OVERVIEW);
  await page.getByText('Operator’s page').waitFor();
  await tabTo(page, /^Operator’s page$/);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Operator', exact: true }).waitFor();
  const cells = await page
    .getByRole('region', { name: 'In flight' })
    .getByRole('row', { name: /^mobile/ })
    .getByRole('cell')
    .allTextContents();
  expect(cells).toEqual(['12', '–', '–', '–', '1', '13']);
  const figures = await page.locator('.figure').allTextContents();
  expect(figures).toEqual([
    'In flight15',
    'Done, of the last 31',
    'Failed, of the last 31',
    'Webhooks waiting7',
    'Billed in 24 hours1.56',
  ]);
  const bills = page.getByRole('region', { name: 'Billed' }).getByRole('row');
  expect(await bills.allTextContents()).toEqual([
    'CallerModelAmount',
    'webfal-ai/birefnet1.50',
    'mobilefal-ai/birefnet0.0625',
  ]);
  expect(await page.locator('.ends summary').count()).toBe(3);
  await tabTo(page, /^All$/);
  await page.keyboard.press('ArrowRight');
  expect(await page.locator('.ends summary').count()).toBe(1);
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.getByText('Send another photo.').waitFor();
  expect(await page.locator('.ends details[open]').textContent()).toContain('12.3 s');
});

test('while the line is down, it says so, shows what it knew, and tries again', async () => {
  const { page } = browser;
  browser.expected = /503/;
  await page.clock.install();
  await tell(page, OVERVIEW, 503, { ...OVERVIEW, webhooks_waiting: 8 });
  await visit();
  await page.getByText('Reconnecting').waitFor();
  expect(await page.locator('.figure', { hasText: 'Webhooks' }).textContent()).toBe('Webhooks waiting7');
  await page.clock.fastForward(2000);
  await page.clock.fastForward(2000);
  await expect.poll(() => page.locator('.figure', { hasText: 'Webhooks' }).textContent()).toBe('Webhooks waiting8');
});

test.each([
  [403, 'put your API key’s name under'],
  [404, 'No.'],
])('who is answered %i reads why, and is not asked for it again', async (status, why) => {
  const { page } = browser;
  browser.expected = /403|404/;
  await page.clock.install();
  await tell(page, status, OVERVIEW);
  await visit();
  await page.getByRole('heading', { name: 'For operators' }).waitFor();
  await page.getByText(why).waitFor();
  await page.clock.fastForward(5000);
  expect(await page.getByRole('heading', { name: 'For operators' }).count()).toBe(1);
});
