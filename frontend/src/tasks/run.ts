/** From a wish to a picture: exactly one task, whatever the network, the service or a reload do in between. */

import {
  cancelTask,
  download,
  getTask,
  presign,
  type Submission,
  submit,
  type Task,
  taskEvents,
  upload,
} from '../api/client';
import { ApiError } from '../api/errors';
import { pause } from '../pause';
import { dataUri } from '../picture-file';
import { useSettings } from '../settings';
import { isInFlight, type Order, phaseOf, type TaskRecord } from './record';
import { addTask, changeTask, deleteTask, findTask, markCancelled, useTasks } from './store';

/** An order whose result has no place yet; without an `avatar_id`, it is of a new one. */
export type Wish = Unplaced<Order>;
type Unplaced<O extends Order> = O extends Order
  ? Omit<O, 'body'> & { body: Omit<O['body'], Given> & { avatar_id?: string | undefined } }
  : never;
type Given = 'writeUrl' | 'readUrl' | 'avatar_id';

const POLL_MS = 1000;

/** While nothing answers, a picture is asked for this often. Not for ever: a store that lets no page read it looks the same. */
const FETCH_AGAIN_MS = 2000;
const FETCHES = 60;

/** Sends it; resolves once it is written down, so that a reload sends the very same request with the same key. */
export async function request(wish: Wish, sources?: TaskRecord['sources']): Promise<void> {
  const { key: objectKey, writeUrl, readUrl } = await presign();
  const body = { ...wish.body, avatar_id: wish.body.avatar_id ?? newId(), writeUrl, readUrl };
  const order = { ...wish, body } as Order;
  const record = { ...order, key: newId(), objectKey, createdAt: Date.now(), sources };
  await addTask(record);
  void send(record.key);
}

/** The same again, with a new key and a new place for its result. */
export async function retry(record: TaskRecord): Promise<void> {
  const wish: Wish = orderOf(record);
  // Links may have expired meanwhile, which is what ends most tasks as `fetch_failed`.
  if (wish.operation === 'overlay' && record.sources) {
    const [person, background] = await Promise.all([upload(record.sources.person), upload(record.sources.background)]);
    wish.body = { ...wish.body, params: { ...wish.body.params, person, background } };
  }
  await request(wish, record.sources);
}

function orderOf(record: TaskRecord): Order {
  const { operation, body } = record;
  return { operation, body, ...(record.operation === 'avatar' && { photos: record.photos }) } as Order;
}

/** Sends a record until the service has taken or refused it. A cancelled one too: its task's id is needed to cancel it. */
async function send(key: string): Promise<void> {
  for (let record = findTask(key); record; record = findTask(key)) {
    try {
      if (!record.sent) await changeTask(key, { sent: true });
      const taskId = await submit(await submissionOf(record), key);
      const now = findTask(key);
      // Deleted meanwhile, on another page say.
      if (!now) return void (await cancelTask(taskId));
      await changeTask(key, { taskId, waitingUntil: undefined });
      if (now.cancelled) await poll(now, taskId);
      return follow(key);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const { kind, status, message, fields, retryAfter } = error;
      const { cancelled } = findTask(key) ?? {};
      // A key that the service knows is answered with its task, whatever limit is reached.
      const mayBeTaken = kind === 'away' && status !== 429;
      if (cancelled && !mayBeTaken) return deleteTask(key);
      if (kind === 'refused') return changeTask(key, { refusal: { message, fields } });
      await changeTask(key, { sent: mayBeTaken, waitingUntil: Date.now() + retryAfter * 1000 });
      await pause(retryAfter * 1000);
    }
  }
}

/** The same each time: a repetition with another body would be refused. */
async function submissionOf(record: TaskRecord): Promise<Submission> {
  if (record.operation !== 'avatar') return record;
  const source_images = await Promise.all(record.photos.map(dataUri));
  return { operation: 'avatar', body: { ...record.body, source_images } };
}

/** After a reload: goes on with everything that had not ended. */
export function resume(): void {
  for (const record of useTasks.getState()) {
    if (isInFlight(record)) void (record.taskId ? follow(record.key) : send(record.key));
    else if (record.task?.status === 'done' && !record.picture && !record.lost) void fetchPicture(record);
  }
  lookForLost();
  useSettings.subscribe(lookForLost);
}

/** What was not found may belong to another service, or to another API key: it is looked for when those change. */
function lookForLost(): void {
  for (const record of useTasks.getState()) {
    if (!record.lost || !record.taskId) continue;
    if (record.task?.status === 'done') void fetchPicture(record);
    else void poll(record, record.taskId).then(() => follow(record.key));
  }
}

/** One at a time: a browser opens six connections to a server that speaks HTTP/1.1, for all of its pages. */
let streaming = false;

/** Follows an accepted task to its end, by its event stream or else by polling, and fetches its picture. */
async function follow(key: string): Promise<void> {
  await stream(key);
  let record = findTask(key);
  for (; record?.taskId && isInFlight(record); record = findTask(key)) {
    await pause(POLL_MS);
    await poll(record, record.taskId);
  }
  if (record?.task?.status === 'done' && !record.picture) await fetchPicture(record);
}

/** Until it ends or breaks; not at all where another one is open, or where the task is to be cancelled. */
async function stream(key: string): Promise<void> {
  const record = findTask(key);
  if (streaming || !record?.taskId || phaseOf(record) !== 'running') return;
  streaming = true;
  try {
    for await (const task of taskEvents(record.taskId)) await changeTask(key, { task });
  } catch {
    // Polling finds out why.
  } finally {
    streaming = false;
  }
}

async function poll({ key, cancelled }: TaskRecord, taskId: string): Promise<void> {
  try {
    await changeTask(key, { task: await (cancelled ? ended(taskId) : getTask(taskId)), lost: false });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.kind === 'refused' && error.status === 404) await changeTask(key, { lost: true });
  }
}

/** Cancels it, unless it has ended already. */
async function ended(taskId: string): Promise<Task> {
  try {
    return await cancelTask(taskId);
  } catch (error) {
    if (error instanceof ApiError && error.status === 409) return getTask(taskId);
    throw error;
  }
}

/** Cancels, once it can; throws an `ApiError` where the service cannot, or it is too late. */
export async function cancel({ key }: TaskRecord): Promise<void> {
  const { taskId, sent } = findTask(key) ?? {};
  if (taskId) return changeTask(key, { task: await cancelTask(taskId) });
  await (sent ? markCancelled(key) : deleteTask(key));
}

/** Keeps the result here, by a fresh link if the first has expired; while nothing answers, it is asked for again. */
async function fetchPicture({ key, body, objectKey, lost }: TaskRecord): Promise<void> {
  const links = [async () => body.readUrl, async () => (await presign(objectKey)).readUrl];
  for (let fetches = lost ? 1 : FETCHES; fetches > 0 && findTask(key); fetches--) {
    let isAway = false;
    for (const link of links) {
      try {
        return await changeTask(key, { picture: await download(await link()), lost: false });
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        isAway ||= error.kind === 'away';
      }
    }
    if (!isAway) break;
    await pause(FETCH_AGAIN_MS);
  }
  await changeTask(key, { lost: true });
}

/** 128 random bits in hexadecimal; `crypto.randomUUID` is missing on plain-http pages other than localhost. */
function newId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
