/** What has been typed and chosen but not sent: it survives a reload. */

import { Observable, useObservable } from './observable';
import type { AspectRatio, CanvasSize } from './sizes';
import { table } from './storage';

export interface Photo {
  readonly name: string;
  /** `data:image/…;base64,…`: what is sent, and shown. */
  readonly uri: string;
}

export interface Place {
  readonly x: number;
  readonly y: number;
  readonly scale: number;
}

export interface Drafts {
  readonly avatar: { readonly prompt: string; readonly ratio: AspectRatio; readonly photos: readonly Photo[] };
  readonly background: { readonly prompt: string; readonly ratio: AspectRatio };
  readonly compose: {
    readonly prompt: string;
    readonly canvas: CanvasSize;
    /** A task's key, or a picture of one's own; null: the newest that there is. */
    readonly person: string | Blob | null;
    readonly background: string | Blob | null;
    /** Null: where a person is put first. */
    readonly place: Place | null;
    readonly snap: boolean;
  };
}

export const EMPTY: Drafts = {
  avatar: { prompt: '', ratio: '1:1', photos: [] },
  background: { prompt: '', ratio: '16:9' },
  compose: {
    prompt: 'Natural light, soft shadows',
    canvas: 'landscape_16_9',
    person: null,
    background: null,
    place: null,
    snap: true,
  },
};

const rows = table<Drafts>('drafts');
const KEPT_AS = 'drafts';

export const drafts = new Observable<Drafts>(EMPTY);
let writing = false;

export async function loadDrafts(): Promise<void> {
  const [kept] = await rows.all();
  if (kept) drafts.set(kept);
}

export function changeDraft<Name extends keyof Drafts>(name: Name, changes: Partial<Drafts[Name]>): void {
  drafts.set({ ...drafts.get(), [name]: { ...drafts.get()[name], ...changes } });
  if (!writing) void keep();
}

/** Written at once; what changes meanwhile is written right after, all of it together. */
async function keep(): Promise<void> {
  let kept: Drafts;
  writing = true;
  do {
    kept = drafts.get();
    await rows.put(KEPT_AS, kept);
  } while (kept !== drafts.get());
  writing = false;
}

export function useDraft<Name extends keyof Drafts>(
  name: Name,
): [Drafts[Name], (changes: Partial<Drafts[Name]>) => void] {
  return [useObservable(drafts)[name], (changes) => changeDraft(name, changes)];
}
