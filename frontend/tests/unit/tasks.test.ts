/** What the page remembers of its tasks. */

import 'fake-indexeddb/auto';
import { clear, set, values } from 'idb-keyval';
import { beforeEach, expect, test } from 'vitest';
import type { Task } from '../../src/api/client.ts';
import { taskTable } from '../../src/storage.ts';
import { isInFlight, phaseOf, standing, type TaskRecord } from '../../src/tasks/record.ts';
import { addTask, changeTask, deleteTask, findTask, loadTasks, useTasks } from '../../src/tasks/store.ts';

const BODY = { prompt: 'p', avatar_id: 'a', aspect_ratio: '1:1', writeUrl: 'w', readUrl: 'r' } as const;

function record(changes: Partial<TaskRecord> = {}): TaskRecord {
  const order = { operation: 'avatar', body: BODY, photos: [] };
  return { ...order, key: 'k', objectKey: 'o', createdAt: 1, ...changes } as TaskRecord;
}

function task(status: Task['status'], code?: string): Task {
  const timeline = [{ status: 'pending', at: '2030-01-01T00:00:00Z' }];
  return { status, timeline, error: code ? { code, message: 'why' } : null } as Task;
}

test.each([
  [record(), 'sending', 'Sending'],
  [record({ waitingUntil: 5 }), 'waiting', 'Waiting for the service'],
  [record({ waitingUntil: 5, cancelled: true }), 'cancelling', 'Cancelling'],
  [record({ taskId: 't', task: task('error', 'cancelled'), cancelled: true }), 'cancelled', 'Cancelled'],
  [record({ taskId: 't' }), 'running', 'Waiting in the queue'],
  [record({ taskId: 't', task: task('uploading_image') }), 'running', 'Saving the picture'],
  [record({ taskId: 't', task: task('done') }), 'done', 'Done'],
  [record({ taskId: 't', task: task('done'), lost: true }), 'expired', 'Expired'],
  [record({ taskId: 't', task: task('error', 'engine_error') }), 'failed', 'Error'],
  [record({ taskId: 't', task: task('error', 'cancelled') }), 'cancelled', 'Cancelled'],
  [record({ refusal: { message: 'no', fields: {} } }), 'refused', 'Not accepted'],
  [record({ taskId: 't', lost: true }), 'expired', 'Expired'],
])('%# is %2$s', (one, phase, words) => {
  expect([phaseOf(one), standing(one)]).toEqual([phase, words]);
  expect(isInFlight(one)).toBe(['sending', 'waiting', 'running', 'cancelling'].includes(phase));
});

beforeEach(async () => {
  await clear(taskTable);
  await loadTasks();
});

test('a task is written down before it can be seen', async () => {
  const adding = addTask(record());
  expect(findTask('k')).toBeUndefined();
  await adding;
  expect(await values(taskTable)).toEqual(useTasks.getState());
});

test('after a reload the newest comes first', async () => {
  await set('old', record({ key: 'old', createdAt: 1 }), taskTable);
  await set('new', record({ key: 'new', createdAt: 2 }), taskTable);
  await loadTasks();
  expect(useTasks.getState().map(({ key }) => key)).toEqual(['new', 'old']);
});

test('photos that an older version kept as text become bytes', async () => {
  const photo = `data:image/jpeg;base64,${btoa('a photo')}`;
  await set('k', { ...record(), photos: undefined, body: { ...BODY, source_images: [photo] } }, taskTable);
  await loadTasks();
  const [loaded] = useTasks.getState() as [TaskRecord & { readonly operation: 'avatar' }];
  expect(loaded.body).toEqual(BODY);
  expect(loaded.photos[0]?.type).toBe('image/jpeg');
  expect(await loaded.photos[0]?.text()).toBe('a photo');
  expect(await values(taskTable)).toEqual([loaded]);
});

test('what is deleted or cancelled on another page is so on this one', async () => {
  await addTask(record({ key: 'one' }));
  await addTask(record({ key: 'other' }));
  const page = new BroadcastChannel('aige-tasks');
  page.postMessage({ key: 'one', is: 'deleted' });
  page.postMessage({ key: 'other', is: 'cancelled' });
  await expect.poll(() => useTasks.getState()).toEqual([record({ key: 'other', cancelled: true })]);
  page.close();
});

test('news of a task that was deleted changes nothing', async () => {
  await addTask(record());
  await deleteTask('k');
  await changeTask('k', { taskId: 't' });
  expect(await values(taskTable)).toEqual([]);
  expect(useTasks.getState()).toEqual([]);
});
