/** What survives a reload: tasks and drafts, in IndexedDB. */

import { createStore, type UseStore } from 'idb-keyval';

export const taskTable: UseStore = createStore('aige-tasks', 'tasks');
export const draftTable: UseStore = createStore('aige-drafts', 'drafts');

/** Where the browser keeps nothing (some private windows), or has no room left, the page works on: undefined. */
export async function kept<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch {
    return undefined;
  }
}
