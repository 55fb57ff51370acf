/** What has been typed and chosen but not sent: it survives a reload. */

import { get, set } from 'idb-keyval';
import { create } from 'zustand';
import type { Placement } from './overlay/geometry';
import type { AspectRatio, CanvasSize } from './sizes';
import { draftTable, kept } from './storage';

const EMPTY = {
  avatar: { prompt: 'A cartoon portrait', shape: '1:1' as AspectRatio, photos: [] as readonly File[] },
  background: { prompt: '', shape: '16:9' as AspectRatio },
  overlay: {
    prompt: 'Natural light, soft shadows',
    shape: 'landscape_16_9' as CanvasSize,
    /** A candidate's id, or a picture of one's own; null: the newest that there is. */
    person: null as string | Blob | null,
    background: null as string | Blob | null,
    /** Null: where a person is put first. */
    place: null as Placement | null,
    snap: true,
  },
};
type Drafts = Readonly<typeof EMPTY>;

const KEY = 'drafts';

const useDrafts = create<Drafts>(() => EMPTY);

export async function loadDrafts(): Promise<void> {
  useDrafts.setState((await kept(() => get<Drafts>(KEY, draftTable))) ?? {});
  useDrafts.subscribe(() => writing || void write());
}

let writing = false;

/** At once; what changes meanwhile is written right after, all of it together. */
async function write(): Promise<void> {
  let written: Drafts;
  writing = true;
  do {
    written = useDrafts.getState();
    await kept(() => set(KEY, written, draftTable));
  } while (written !== useDrafts.getState());
  writing = false;
}

export function draftOf<Name extends keyof Drafts>(name: Name): Drafts[Name] {
  return useDrafts.getState()[name];
}

export function changeDraft<Name extends keyof Drafts>(name: Name, changes: Partial<Drafts[Name]>): void {
  useDrafts.setState((drafts) => ({ [name]: { ...drafts[name], ...changes } }));
}

export function useDraft<Name extends keyof Drafts>(name: Name) {
  const change = (changes: Partial<Drafts[Name]>) => changeDraft(name, changes);
  return [useDrafts((drafts) => drafts[name]), change] as const;
}
