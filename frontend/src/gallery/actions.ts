/** What can be done with what the gallery shows. */

import { flushSync } from 'react-dom';
import { cancelTask, download } from '../api/client';
import { Explained } from '../api/errors';
import { changeDraft } from '../drafts';
import { asPicture } from '../picture-file';
import { goTo } from '../route';
import { save } from '../save';
import { cancel } from '../tasks/run';
import { deleteTask } from '../tasks/store';
import { hide } from './hidden';
import { fileNameOf, type Item, isOwn } from './item';
import { type Packed, zipped } from './zip';

/** Its bytes, from here or from where the service has put them. */
export async function pictureOf({ picture, task }: Item): Promise<Blob> {
  if (picture) return picture;
  try {
    return await download(task?.readUrl ?? '');
  } catch {
    throw new Explained('The picture can’t be loaded: its link has expired, or its store lets no web page read it.');
  }
}

/** A person is put where persons are put first; what is no cut-out becomes the backdrop. */
export async function toCompose(item: Item): Promise<void> {
  const isListed = isOwn(item) && item.picture && item.operation !== 'overlay';
  const choice = isListed ? item.key : await asPicture(await fileOf(item));
  changeDraft('overlay', item.operation === 'avatar' ? { person: choice, place: null } : { background: choice });
  flushSync(() => goTo('overlay'));
  document.getElementById('tab-overlay')?.focus(); // what had it is gone
}

/** All that the service makes is PNG, whatever a store calls it. */
async function fileOf(item: Item): Promise<File> {
  return new File([await pictureOf(item)], fileNameOf(item), { type: 'image/png' });
}

export async function downloadOne(item: Item): Promise<void> {
  save(await pictureOf(item), fileNameOf(item));
}

/** In one archive, for browsers ask before they let a page save a second file. */
export async function downloadAll(items: readonly Item[]): Promise<void> {
  const files: Packed[] = [];
  let missing = 0;
  for (const item of items) {
    try {
      const name = `${String(files.length + 1).padStart(3, '0')}-${fileNameOf(item)}`;
      files.push({ name, blob: await pictureOf(item), at: new Date(item.createdAt) });
    } catch {
      missing++;
    }
  }
  if (files.length > 0) save(await zipped(files), 'aige-pictures.zip');
  if (missing > 0) throw new Explained(`${missing} of ${items.length} pictures could not be loaded and were left out.`);
}

/** From this browser's gallery; the service keeps a task for as long as it is set to. */
export async function remove(item: Item): Promise<void> {
  if (item.taskId) hide(item.taskId);
  if (isOwn(item)) await deleteTask(item.key);
}

export async function cancelItem(item: Item): Promise<void> {
  if (isOwn(item)) await cancel(item);
  else await cancelTask(item.key);
}
