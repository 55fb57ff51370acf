/** The tasks of this browser, newest first, and written down: they outlive the page. */

import { del, set, values } from 'idb-keyval';
import { create } from 'zustand';
import type { Operation } from '../api/client';
import { blobOf } from '../picture-file';
import { kept, taskTable } from '../storage';
import type { TaskRecord, TaskState } from './record';

export const useTasks = create<readonly TaskRecord[]>(() => []);

/** Other pages of this studio: they have the same tasks, and send and follow them, too. */
const otherPages = new BroadcastChannel('aige-tasks');

/** What a person decides on one page holds on all. */
interface Decision {
  readonly key: string;
  readonly is: 'cancelled' | 'deleted';
}

otherPages.onmessage = ({ data: { key, is } }: MessageEvent<Decision>) => {
  if (is === 'deleted') useTasks.setState(without(key), true);
  else useTasks.setState(changed(key, { cancelled: true }), true);
};

export async function loadTasks(): Promise<void> {
  const records = (await kept(() => values<TaskRecord>(taskTable))) ?? [];
  for (const [index, record] of records.entries()) records[index] = await modern(record);
  records.sort((a, b) => b.createdAt - a.createdAt);
  useTasks.setState(records, true);
}

/** Records of older versions hold their photos as text. */
async function modern(record: TaskRecord): Promise<TaskRecord> {
  if (!('source_images' in record.body)) return record;
  const { source_images, ...body } = record.body as { source_images: string[] };
  const rewritten = { ...record, body, photos: await Promise.all(source_images.map(blobOf)) } as unknown as TaskRecord;
  await kept(() => set(rewritten.key, rewritten, taskTable));
  return rewritten;
}

export function findTask(key: string): TaskRecord | undefined {
  return useTasks.getState().find((record) => record.key === key);
}

export async function addTask(record: TaskRecord): Promise<void> {
  await kept(() => set(record.key, record, taskTable));
  useTasks.setState((records) => [record, ...records], true);
}

/** Does nothing where the record has been deleted meanwhile. */
export async function changeTask(key: string, changes: TaskState): Promise<void> {
  useTasks.setState(changed(key, changes), true);
  const record = findTask(key);
  if (record) await kept(() => set(key, record, taskTable));
}

/** Marks it as cancelled, for whoever is sending it. */
export async function markCancelled(key: string): Promise<void> {
  otherPages.postMessage({ key, is: 'cancelled' } satisfies Decision);
  await changeTask(key, { cancelled: true });
}

export async function deleteTask(key: string): Promise<void> {
  otherPages.postMessage({ key, is: 'deleted' } satisfies Decision);
  useTasks.setState(without(key), true);
  await kept(() => del(key, taskTable));
}

export function useNewest(operation: Operation): TaskRecord | undefined {
  return useTasks((records) => records.find((record) => record.operation === operation));
}

function changed(key: string, changes: TaskState) {
  return (records: readonly TaskRecord[]) => records.map((one) => (one.key === key ? { ...one, ...changes } : one));
}

function without(key: string) {
  return (records: readonly TaskRecord[]) => records.filter((record) => record.key !== key);
}
