/** What a browser remembers, put there without the work of making it. */

import type { Page } from 'playwright-core';
import type { Operation } from '../../src/api/client.ts';
import type { Size } from '../../src/overlay/pillow.ts';
import { type Colour, filled } from '../files.ts';
import { png } from '../png.ts';

const SMALL: Size = { width: 64, height: 64 };

export interface Remembered {
  readonly operation: Operation;
  readonly prompt?: string;
  readonly colour?: Colour;
  readonly size?: Size;
  /** The code of its error, if it has failed. */
  readonly code?: string;
}

/** These tasks, the newest first, each with its picture and two notes; shows the page anew. */
export async function remember(page: Page, tasks: readonly Remembered[]): Promise<void> {
  const records = tasks.map(({ operation, prompt = 'A knight', colour = [0, 120, 200], size = SMALL, code }, index) => {
    const timeline = [{ status: 'pending', at: new Date().toISOString() }];
    const error = code ? { code, message: 'The reason in full.' } : null;
    const told = {
      operation,
      status: code ? 'error' : 'done',
      error,
      timeline,
      notes: ['The first note.', 'Another.'],
    };
    const task = { ...told, engine: 'local', made_by: [], cost: [], readUrl: null };
    const params = { person: 'p', background: 'b', position: { x: 7, y: 8, scale: 1 } };
    const body = {
      ...{ prompt, avatar_id: 'a', aspect_ratio: operation === 'overlay' ? 'landscape_4_3' : '3:4' },
      ...(operation === 'overlay' && { params }),
    };
    const kept = { operation, body, key: `key-${index}`, objectKey: 'o', createdAt: Date.now() - index * 60_000 };
    const photo = operation === 'avatar' ? encoded([90, 90, 90], SMALL) : null;
    return { record: { ...kept, taskId: `task-${index}`, task }, photo, picture: code ? null : encoded(colour, size) };
  });
  await page.evaluate(async (all) => {
    const { result } = await new Promise<IDBOpenDBRequest>((resolve) => {
      const opening = indexedDB.open('aige-tasks');
      opening.onsuccess = () => resolve(opening);
    });
    const store = result.transaction('tasks', 'readwrite').objectStore('tasks');
    const blobOf = (text: string) => {
      const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
      return new Blob([bytes], { type: 'image/png' });
    };
    for (const { record, photo, picture } of all) {
      const blobs = { ...(photo && { photos: [blobOf(photo)] }), ...(picture && { picture: blobOf(picture) }) };
      store.put({ ...record, ...blobs }, record.key);
    }
    await new Promise((resolve) => {
      store.transaction.oncomplete = resolve;
    });
    result.close();
  }, records);
  await page.reload();
}

/** Each once, however many tasks have such a picture. */
const pictures = new Map<string, string>();

function encoded(colour: Colour, size: Size): string {
  const key = JSON.stringify([colour, size]);
  const picture = pictures.get(key) ?? png(filled(size, colour)).toString('base64');
  pictures.set(key, picture);
  return picture;
}
