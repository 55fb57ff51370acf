/** The tasks of this browser, newest first, and written down: they outlive the page. */

import { del, set, values } from 'idb-keyval';
import { create } from 'zustand';
import type { Operation } from '../api/client';
import { kept, taskTable } from '../storage';
import type { TaskRecord, TaskState } from './record';

export const useTasks = create<readonly TaskRecord[]>(() => []);

export async function loadTasks(): Promise<void> {
  const records = (await kept(() => values<TaskRecord>(taskTable))) ?? [];
  records.sort((a, b) => b.createdAt - a.createdAt);
  useTasks.setState(records, true);
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
  useTasks.setState((records) => records.map((one) => (one.key === key ? { ...one, ...changes } : one)), true);
  const record = findTask(key);
  if (record) await kept(() => set(key, record, taskTable));
}

export async function deleteTask(key: string): Promise<void> {
  useTasks.setState((records) => records.filter((record) => record.key !== key), true);
  await kept(() => del(key, taskTable));
}

export function useNewest(operation: Operation): TaskRecord | undefined {
  return useTasks((records) => records.find((record) => record.operation === operation));
}
