/** Photos of a person as they come in: of one name, in a hurry, from the clipboard, and dropped beside the target. */

import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { BLUE, type Colour, filled, GREEN, nearly, RED, SIZE } from '../files.ts';
import { noise } from '../fixture.ts';
import { chunk, png } from '../png.ts';
import { stubTasks, studio } from './browser.ts';

const browser = studio();

function photo(colour: Colour, name = 'image.jpg') {
  return { name, mimeType: 'image/jpeg', buffer: png(filled(SIZE, colour)) };
}

/** The colour in the middle of each photo's tile, nearly. */
async function tiles(): Promise<number[][]> {
  const images = browser.page.locator('.tiles.pictures img');
  const colours = await images.evaluateAll((all) =>
    all.map((image) => {
      const context = new OffscreenCanvas(1, 1).getContext('2d') as OffscreenCanvasRenderingContext2D;
      context.drawImage(image as HTMLImageElement, 0, 0, 1, 1);
      return [...context.getImageData(0, 0, 1, 1).data.subarray(0, 3)];
    }),
  );
  return colours.map(nearly);
}

/** As another program would have put it on the clipboard; whether the page took it for itself. */
async function pasted(files: { name: string; buffer: Buffer }[], text = ''): Promise<boolean> {
  const encoded = files.map(({ name, buffer }) => [name, buffer.toString('base64')] as const);
  return browser.page.evaluate(
    ([list, plain]) => {
      const clipboardData = new DataTransfer();
      if (plain) clipboardData.setData('text/plain', plain);
      for (const [name, base64] of list) {
        const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
        clipboardData.items.add(new File([bytes], name, { type: 'image/png' }));
      }
      const paste = new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true });
      return !(document.activeElement ?? document).dispatchEvent(paste);
    },
    [encoded, text] as const,
  );
}

test('photos of one name are all there, each once, and the right one goes', async () => {
  const { page } = browser;
  const photos = page.getByLabel('Photos');
  await photos.setInputFiles([photo(RED), photo(GREEN), photo(BLUE)]);
  await expect.poll(tiles).toEqual([RED, GREEN, BLUE]);
  await photos.setInputFiles([photo(GREEN, 'again.jpg'), photo([255, 255, 0])]);
  await expect.poll(tiles).toEqual([RED, GREEN, BLUE, [255, 255, 0]]);
  await page.getByRole('button', { name: 'Remove photo 2' }).click();
  await expect.poll(tiles).toEqual([RED, BLUE, [255, 255, 0]]);
});

test('what cannot be read, or is too much, is named, and keeps nothing else out', async () => {
  const { page } = browser;
  const broken = { name: 'letter.docx', mimeType: 'image/jpeg', buffer: Buffer.from('not a picture') };
  await page.getByLabel('Photos').setInputFiles([photo(RED), broken, photo(BLUE)]);
  await page.getByText('“letter.docx” couldn’t be read as a picture.').waitFor();
  await expect.poll(tiles).toEqual([RED, BLUE]);
  const many = Array.from({ length: 8 }, (_, index) => photo([0, 32 * index, 128], `${index}.jpg`));
  await page.getByLabel('Photos').setInputFiles(many);
  await page.getByText('There is room for 8 photos: “6.jpg” was left out.').waitFor();
  expect(await tiles()).toHaveLength(8);
});

test('a photo with content credentials is sent as it is; any other is redrawn', async () => {
  const { page } = browser;
  await stubTasks(page, { status: 'processing_avatar_model' });
  const signed = png(filled(SIZE, RED), chunk('caBX', Buffer.from('....jumb....jumdc2pa and so on')));
  await page
    .getByLabel('Photos')
    .setInputFiles([{ name: 'a.png', mimeType: 'image/png', buffer: signed }, photo(BLUE)]);
  await expect.poll(tiles).toEqual([RED, BLUE]);
  const [request] = await Promise.all([
    page.waitForRequest('**/api/v1/avatar'),
    page.getByRole('button', { name: 'Create avatar' }).click(),
  ]);
  const [first, second] = request.postDataJSON().source_images;
  expect(first).toBe(`data:image/png;base64,${signed.toString('base64')}`);
  expect(second).toMatch(/^data:image\/jpeg;base64,/);
});

test('of two quick additions, both are kept, in their order', async () => {
  const large = png(noise([2000, 1500], 'RGB', 1));
  await Promise.all([pasted([{ name: 'image.png', buffer: large }]), pasted([photo(GREEN, 'image.png')])]);
  await expect.poll(async () => (await tiles()).length).toBe(2);
  expect((await tiles())[1]).toEqual(GREEN);
});

test('text with a picture of it is text; a picture with its name or address is a picture', async () => {
  const { page } = browser;
  const prompt = page.getByRole('textbox', { name: 'Prompt' });
  await prompt.focus();
  expect(await pasted([photo(RED, 'image.png')], 'a portrait in oil')).toBe(false);
  expect(await pasted([photo(GREEN, 'green.png')], 'green.png')).toBe(true);
  expect(await pasted([photo(BLUE, 'image.png')], 'https://example.com/blue?size=large')).toBe(true);
  await expect.poll(tiles).toEqual([GREEN, BLUE]);
});

test('a file dropped beside the target leaves the page where it is; on the target, it is taken', async () => {
  const { page } = browser;
  /** Whether the browser is left to do with it what it does by itself, which is to open it outside of a file field. */
  const left = (selector: string, kind: 'file' | 'text') =>
    page
      .locator(selector)
      .first()
      .evaluate((target, what) => {
        const dataTransfer = new DataTransfer();
        if (what === 'file') dataTransfer.items.add(new File(['bytes'], 'a.png', { type: 'image/png' }));
        else dataTransfer.setData('text/plain', 'words');
        return ['dragover', 'drop'].map((type) =>
          target.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true })),
        );
      }, kind);
  expect(await left('h1', 'file')).toEqual([false, false]);
  expect(await left('#prompt', 'file')).toEqual([false, false]);
  expect(await left('h1', 'text')).toEqual([false, false]);
  expect(await left('#prompt', 'text')).toEqual([true, true]);
  expect(await left('.add input', 'file')).toEqual([true, true]);

  const path = join(mkdtempSync(join(tmpdir(), 'studio-')), 'dropped.png');
  writeFileSync(path, photo(RED).buffer);
  const hand = await browser.context.newCDPSession(page);
  const box = await page.locator('.add').boundingBox();
  if (!box) throw new Error('there is no target');
  const data = { items: [], files: [path], dragOperationsMask: 1 };
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
    await hand.send('Input.dispatchDragEvent', { type, x: box.x + 20, y: box.y + 20, data });
  }
  await expect.poll(tiles).toEqual([RED]);
});
