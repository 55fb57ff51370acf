/** The photos of the avatar's draft: how they come in, and how they are told apart. */

import { Explained } from '../api/errors';
import { changeDraft, draftOf } from '../drafts';
import { asPhoto, dataUri } from '../picture-file';

let adding: Promise<unknown> = Promise.resolve();

/** Adds what can be read of `files` and is not there yet, after what is being added already; up to `max` in all. */
export async function addPhotos(files: readonly File[], max: number): Promise<void> {
  const additions = files.map((file) => {
    const addition = adding.then(() => addPhoto(file, max));
    adding = addition.catch(() => undefined);
    return addition;
  });
  await Promise.all(additions);
}

async function addPhoto(file: File, max: number): Promise<void> {
  if (draftOf('avatar').photos.length >= max) {
    throw new Explained(`There is room for ${max} photos: “${file.name}” was left out.`);
  }
  const photo = await asPhoto(file);
  const twins = await Promise.all(draftOf('avatar').photos.map((other) => isSame(photo, other)));
  if (!twins.includes(true)) changeDraft('avatar', { photos: [...draftOf('avatar').photos, photo] });
}

/** By what it shows: phones and cameras give many photos one name. */
async function isSame(one: Blob, other: Blob): Promise<boolean> {
  return one.size === other.size && (await dataUri(one)) === (await dataUri(other));
}

const keys = new WeakMap<File, number>();
let lastKey = 0;

/** The same for the same object, as React asks for it. */
export function keyOf(photo: File): number {
  const key = keys.get(photo) ?? ++lastKey;
  keys.set(photo, key);
  return key;
}
