/** What the gallery shows: tasks of this browser, and those that the service tells of besides. */

import type { Operation, Task } from '../api/client';
import { isInFlight, NAMES, phaseOf, type TaskRecord, type TaskState } from '../tasks/record';

/** A task that another browser, or a program, has asked for: what it was asked with is not known here. */
export interface OtherTask extends TaskState {
  readonly key: string;
  readonly operation: Operation;
  readonly createdAt: number;
  readonly task: Task;
  readonly body?: undefined;
}

export type Item = TaskRecord | OtherTask;

export function isOwn(item: Item): item is TaskRecord {
  return item.body !== undefined;
}

export function otherTask(task: Task): OtherTask {
  const { aige_task_id: id, operation, timeline } = task;
  return { key: id, operation, createdAt: Date.parse(timeline[0]?.at ?? ''), taskId: id, task };
}

export const KINDS = { all: 'All', avatar: 'Avatars', background: 'Backgrounds', overlay: 'Pictures' } as const;
export const STATES = { all: 'All', running: 'Under way', done: 'Done', failed: 'Failed' } as const;

export interface Filter {
  readonly kind: keyof typeof KINDS;
  readonly state: keyof typeof STATES;
}

/** Newest first. `hidden` are the ids of tasks that have been removed here. */
export function itemsOf(
  records: readonly TaskRecord[],
  others: readonly OtherTask[],
  hidden: readonly string[],
  filter: Filter,
): Item[] {
  const known = new Set([...records.map(({ taskId }) => taskId), ...hidden]);
  const items = [...records, ...others.filter(({ key }) => !known.has(key))].filter((item) => isLike(item, filter));
  return items.sort((a, b) => b.createdAt - a.createdAt);
}

function isLike(item: Item, { kind, state }: Filter): boolean {
  return (kind === 'all' || item.operation === kind) && (state === 'all' || stateOf(item) === state);
}

export function stateOf(item: Item): 'running' | 'done' | 'failed' {
  if (isInFlight(item)) return 'running';
  return phaseOf(item) === 'done' ? 'done' : 'failed';
}

/** A page of the service's list put over what was loaded before: what stands still keeps its object. */
export function refreshed(loaded: readonly OtherTask[], page: readonly Task[], isLast: boolean): OtherTask[] {
  const before = new Map(loaded.map((item) => [item.key, item]));
  const fresh = page.map((task) => {
    const known = before.get(task.aige_task_id);
    return known && JSON.stringify(known.task) === JSON.stringify(task) ? known : otherTask(task);
  });
  const oldest = fresh.at(-1);
  // Where the two do not meet, there is a gap between them: then what was loaded before is asked for again.
  if (isLast || !oldest || !page.some((task) => before.has(task.aige_task_id))) return fresh;
  const listed = new Set(fresh.map(({ key }) => key));
  return [...fresh, ...loaded.filter((item) => !listed.has(item.key) && item.createdAt <= oldest.createdAt)];
}

export function titleOf(item: Item): string {
  return isOwn(item) ? `${NAMES[item.operation]}: ${item.body.prompt}` : `${NAMES[item.operation]} of another browser`;
}

/** Such as `avatar-a-cartoon-portrait.png`. */
export function fileNameOf(item: Item): string {
  const words = isOwn(item) ? item.body.prompt : item.key.slice(0, 8);
  const plain = words
    .normalize('NFC')
    .toLowerCase()
    .replace(/[^\p{Letter}\p{Number}]+/gu, '-');
  const slug = [...plain]
    .slice(0, 48)
    .join('')
    .replace(/^-+|-+$/g, '');
  return `${[item.operation, slug].filter(Boolean).join('-')}.png`;
}
