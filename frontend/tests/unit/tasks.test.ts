/** What the page remembers of its tasks. */

import { expect, test } from 'vitest';
import type { Task } from '../../src/api/client.ts';
import { failureOf, isInFlight, journeyOf, phaseOf, standing, type TaskRecord } from '../../src/tasks/record.ts';
import { TaskStore } from '../../src/tasks/store.ts';

const BODY = {
  prompt: 'p',
  avatar_id: 'a',
  source_images: [],
  aspect_ratio: '1:1',
  writeUrl: 'w',
  readUrl: 'r',
} as const;

function record(changes: Partial<TaskRecord> = {}): TaskRecord {
  const fresh = { key: 'k', objectKey: 'o', createdAt: 1, taskId: null, task: null, refusal: null, waitingUntil: null };
  return {
    operation: 'avatar',
    body: BODY,
    ...fresh,
    forgotten: false,
    picture: null,
    expired: false,
    sources: null,
    ...changes,
  } as TaskRecord;
}

function task(status: Task['status'], code?: string): Task {
  const timeline = [{ status: 'pending', at: '2030-01-01T00:00:00Z' }];
  return { status, timeline, error: code ? { code, message: 'why' } : null } as Task;
}

test.each([
  [record(), 'sending', 'Sending'],
  [record({ waitingUntil: 5 }), 'waiting', 'Waiting for the service'],
  [record({ taskId: 't' }), 'running', 'Waiting in the queue'],
  [record({ taskId: 't', task: task('uploading_image') }), 'running', 'Saving the picture'],
  [record({ taskId: 't', task: task('done') }), 'done', 'Done'],
  [record({ taskId: 't', task: task('done'), expired: true }), 'expired', 'Expired'],
  [record({ taskId: 't', task: task('error', 'engine_error') }), 'failed', 'Error'],
  [record({ taskId: 't', task: task('error', 'cancelled') }), 'cancelled', 'Cancelled'],
  [record({ refusal: { status: 400, message: 'no', fields: [] } }), 'refused', 'Not accepted'],
  [record({ taskId: 't', forgotten: true }), 'expired', 'Expired'],
])('%# is %2$s', (one, phase, words) => {
  expect([phaseOf(one), standing(one)]).toEqual([phase, words]);
  expect(isInFlight(one)).toBe(['sending', 'waiting', 'running'].includes(phase));
});

test('a failure speaks to a person, and keeps the service’s own sentence', () => {
  const failure = failureOf(record({ task: task('error', 'no_person_found') }));
  expect(failure?.text).toContain('no person');
  expect(failure?.detail).toBe('why');
});

test('a stage that nobody foresaw is shown where it belongs', () => {
  const passed = {
    ...task('processing_background_removal'),
    timeline: [{ status: 'processing_background_removal', at: '' }],
  } as Task;
  expect(journeyOf(record({ operation: 'overlay', task: passed } as Partial<TaskRecord>))).toEqual([
    'pending',
    'processing_background_removal',
    'processing_overlay',
    'uploading_image',
  ]);
});

function memory() {
  const rows = new Map<string, TaskRecord>();
  const table = {
    all: async () => [...rows.values()],
    put: async (key: string, value: TaskRecord) => void rows.set(key, value),
    delete: async (key: string) => void rows.delete(key),
  };
  return { rows, store: new TaskStore(table) };
}

test('a task is written down before it can be seen', async () => {
  const { rows, store } = memory();
  let seen = false;
  store.watch(() => {
    seen = rows.has('k');
  });
  await store.add(record());
  expect(seen).toBe(true);
});

test('after a reload the newest comes first', async () => {
  const { rows, store } = memory();
  rows.set('old', record({ key: 'old', createdAt: 1 }));
  rows.set('new', record({ key: 'new', createdAt: 2 }));
  await store.load();
  expect(store.get().map(({ key }) => key)).toEqual(['new', 'old']);
});

test('news of a task that was deleted changes nothing', async () => {
  const { rows, store } = memory();
  await store.add(record());
  await store.delete('k');
  await store.change('k', { taskId: 't' });
  expect(rows.size).toBe(0);
  expect(store.get()).toEqual([]);
});
