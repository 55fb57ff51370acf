/** What the gallery shows of this browser's tasks and of others', and under which name a picture is saved. */

import { expect, test } from 'vitest';
import type { Task } from '../../src/api/client.ts';
import { fileNameOf, type Item, itemsOf, otherTask, refreshed, titleOf } from '../../src/gallery/item.ts';
import type { TaskRecord } from '../../src/tasks/record.ts';

const ALL = { kind: 'all', state: 'all' } as const;

function task(id: string, second: number, changes: Partial<Task> = {}): Task {
  const at = new Date(Date.UTC(2030, 0, 1, 0, 0, second)).toISOString();
  const timeline = [{ status: 'pending', at }];
  return {
    aige_task_id: id,
    operation: 'avatar',
    status: 'done',
    readUrl: 'r',
    error: null,
    timeline,
    ...changes,
  } as Task;
}

function record(taskId: string, second: number, changes: Partial<TaskRecord> = {}): TaskRecord {
  const createdAt = Date.UTC(2030, 0, 1, 0, 0, second);
  const known = { operation: 'avatar', body: { prompt: 'A knight' }, key: `k-${taskId}`, createdAt, taskId };
  return { ...known, task: task(taskId, second), ...changes } as TaskRecord;
}

function idsOf(items: readonly Item[]): (string | undefined)[] {
  return items.map(({ taskId }) => taskId);
}

test('each task is there once, the newest first; what has been removed here is not', () => {
  const others = [task('mine', 9), task('theirs', 5), task('removed', 4), task('old', 1)].map(otherTask);
  expect(idsOf(itemsOf([record('mine', 3), record('second', 2)], others, ['removed'], ALL))).toEqual([
    'theirs',
    'mine',
    'second',
    'old',
  ]);
});

test('by kind, and by what has become of it', () => {
  const records = [
    record('done', 9),
    record('runs', 8, { task: task('runs', 8, { status: 'uploading_image' }) }),
    record('failed', 7, { task: task('failed', 7, { status: 'error' }) }),
    record('refused', 6, { refusal: { message: 'no', fields: {} } }),
    record('scene', 5, { operation: 'background' } as Partial<TaskRecord>),
  ];
  const shown = (kind: 'all' | 'background', state: 'all' | 'running' | 'done' | 'failed') =>
    idsOf(itemsOf(records, [], [], { kind, state }));
  expect(shown('all', 'running')).toEqual(['runs']);
  expect(shown('all', 'failed')).toEqual(['failed', 'refused']);
  expect(shown('all', 'done')).toEqual(['done', 'scene']);
  expect(shown('background', 'all')).toEqual(['scene']);
  expect(shown('background', 'failed')).toEqual([]);
});

test('what stands still keeps its object, and so is not drawn again', () => {
  const before = refreshed([], [task('b', 2), task('a', 1)], true);
  const after = refreshed(before, [task('c', 3), task('b', 2, { status: 'error' }), task('a', 1)], true);
  expect(idsOf(after)).toEqual(['c', 'b', 'a']);
  expect(after[2]).toBe(before[1]);
  expect(after[1]?.task.status).toBe('error');
});

test('older ones that have been loaded stay, as long as the pages meet', () => {
  const loaded = [task('d', 4), task('c', 3), task('b', 2), task('a', 1)].map(otherTask);
  expect(idsOf(refreshed(loaded, [task('e', 5), task('d', 4)], false))).toEqual(['e', 'd', 'c', 'b', 'a']);
  expect(idsOf(refreshed(loaded, [task('h', 8), task('g', 7)], false))).toEqual(['h', 'g']);
  expect(idsOf(refreshed(loaded, [task('d', 4)], true))).toEqual(['d']);
  expect(refreshed(loaded, [], true)).toEqual([]);
});

test.each([
  ['A knight, in shining armour!', 'avatar-a-knight-in-shining-armour.png'],
  ['Ein Café – für Zoë', 'avatar-ein-café-für-zoë.png'],
  ['../../etc/passwd', 'avatar-etc-passwd.png'],
  ['!?', 'avatar.png'],
  ['𝒜'.repeat(60), `avatar-${'𝒜'.repeat(48)}.png`],
])('the picture of %s is saved as %s', (prompt, name) => {
  expect(fileNameOf(record('t', 1, { body: { prompt } } as Partial<TaskRecord>))).toBe(name);
});

test('of another browser’s task, the prompt is not known', () => {
  const other = otherTask(task('0123456789', 1));
  expect([titleOf(other), fileNameOf(other)]).toEqual(['Avatar of another browser', 'avatar-01234567.png']);
  expect(titleOf(record('t', 1))).toBe('Avatar: A knight');
});
