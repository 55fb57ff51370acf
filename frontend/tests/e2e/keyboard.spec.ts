/** Without a mouse; and the canvas, by every way there is. */

import { expect, test } from 'vitest';
import { noise } from '../fixture.ts';
import { exactPreview, ownPicture, reaches, studio, tab, tabTo } from './browser.ts';

const browser = studio({ hasTouch: true });

async function withPerson(): Promise<void> {
  const { page } = browser;
  await tab(page, 'Compose').click();
  await ownPicture(page, 'Person', noise([200, 300], 'RGBA', 2));
  await exactPreview(page);
}

async function placement(): Promise<number[]> {
  const { page } = browser;
  const values = ['X', 'Y', 'Scale'].map((name) => page.getByRole('spinbutton', { name }).inputValue());
  return (await Promise.all(values)).map(Number);
}

test('the whole job by keyboard alone', async () => {
  const { page } = browser;
  await tabTo(page, /Use sample photo/);
  await page.keyboard.press('Enter');
  await page.getByAltText('the sample photo').waitFor();
  await tabTo(page, /Create avatar/);
  await page.keyboard.press('Enter');
  await reaches(page, 'Avatar: Done');
  await tabTo(page, /^Avatar$/);
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Enter');
  await exactPreview(page);
  await tabTo(page, /The person/);
  await page.keyboard.press('Shift+ArrowRight');
  await tabTo(page, /^Render$/);
  await page.keyboard.press('Enter');
  await reaches(page, 'Picture: Done');
  await tabTo(page, /Download/);
  const [download] = await Promise.all([page.waitForEvent('download'), page.keyboard.press('Enter')]);
  expect(download.suggestedFilename()).toBe('overlay.png');
});

test('arrows nudge, plus and minus scale, undo and redo step', async () => {
  const { page } = browser;
  await withPerson();
  const [x = 0, y = 0, scale = 0] = await placement();
  await page.getByRole('application').focus();
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('Shift+ArrowUp');
  expect(await placement()).toEqual([x - 1, y - 10, scale]);
  await page.keyboard.press('+');
  expect((await placement())[2]).toBeCloseTo(scale * 1.01, 3);
  await page.keyboard.press('Control+z');
  await page.getByRole('button', { name: 'Undo' }).click();
  expect(await placement()).toEqual([x - 1, y, scale]);
  await page.getByRole('button', { name: 'Redo' }).click();
  expect(await placement()).toEqual([x - 1, y - 10, scale]);
});

test('a drag moves, snaps to the middle, and Escape takes it back', async () => {
  const { page } = browser;
  await withPerson();
  const before = await placement();
  const box = await page.getByRole('application').boundingBox();
  if (!box) throw new Error('nothing to drag');
  const [middleX, middleY] = [box.x + box.width / 2, box.y + box.height / 2];
  await page.mouse.move(middleX, middleY);
  await page.mouse.down();
  await page.mouse.move(middleX + 120, middleY - 20, { steps: 4 });
  await page.keyboard.press('Escape');
  await page.mouse.up();
  await expect.poll(placement).toEqual(before);
  await page.mouse.move(middleX, middleY);
  await page.mouse.down();
  await page.mouse.move(middleX + 120, middleY, { steps: 4 });
  await page.mouse.move(middleX + 3, middleY, { steps: 4 });
  await page.mouse.up();
  await expect.poll(async () => (await placement())[0]).toBe(before[0]);
  await exactPreview(page);
});

test('a click changes nothing, and is no step to undo', async () => {
  const { page } = browser;
  await withPerson();
  const before = await placement();
  await page.getByRole('application').click();
  expect(await placement()).toEqual(before);
  expect(await page.getByRole('button', { name: 'Undo' }).isDisabled()).toBe(true);
});

test('Ctrl and the wheel scale, in one step until the wheel rests', async () => {
  const { page } = browser;
  await withPerson();
  const before = await placement();
  const undo = page.getByRole('button', { name: 'Undo' });
  await page.getByRole('application').hover();
  // The wheel rests when it has not turned for a moment; here moments pass when this test says so.
  await page.clock.install();
  await page.clock.pauseAt(Date.now() + 60_000);
  await page.keyboard.down('Control');
  await page.mouse.wheel(0, -100);
  await page.mouse.wheel(0, -100);
  await page.keyboard.up('Control');
  await expect.poll(async () => ((await placement())[2] ?? 0) / (before[2] ?? 0)).toBeCloseTo(Math.exp(0.4), 2);
  expect(await undo.isDisabled()).toBe(true);
  await page.clock.runFor(1000);
  await undo.click();
  await expect.poll(placement).toEqual(before);
  expect(await undo.isDisabled()).toBe(true);
});

test('a corner scales and leaves the opposite one where it is', async () => {
  const { page } = browser;
  await withPerson();
  const [x = 0, y = 0, scale = 0] = await placement();
  const box = await page.getByRole('application').boundingBox();
  if (!box) throw new Error('nothing to scale');
  await page.mouse.move(box.x + box.width - 2, box.y + box.height - 2);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2, { steps: 4 });
  await page.mouse.up();
  await expect.poll(async () => ((await placement())[2] ?? 0) / scale).toBeCloseTo(0.5, 1);
  expect((await placement()).slice(0, 2)).toEqual([x, y]);
});

test('two fingers scale', async () => {
  const { page } = browser;
  await withPerson();
  const [, , scale = 0] = await placement();
  const box = await page.getByRole('application').boundingBox();
  if (!box) throw new Error('nothing to pinch');
  const touch = await browser.context.newCDPSession(page);
  const middle = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
  const fingers = (apart: number) => [
    { x: middle.x - apart, y: middle.y, id: 1 },
    { x: middle.x + apart, y: middle.y, id: 2 },
  ];
  await touch.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: fingers(30) });
  await touch.send('Input.dispatchTouchEvent', { type: 'touchMove', touchPoints: fingers(45) });
  await touch.send('Input.dispatchTouchEvent', { type: 'touchMove', touchPoints: fingers(60) });
  await touch.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
  await expect.poll(async () => (await placement())[2]).toBeCloseTo(scale * 2, 1);
});

test('who has lost the person gets it back', async () => {
  const { page } = browser;
  await withPerson();
  await page.getByRole('spinbutton', { name: 'X' }).fill('5000');
  await page.getByRole('button', { name: 'Reset' }).click();
  expect((await placement())[0]).toBeLessThan(1024);
});
