/** From a wish to a picture: exactly one task, whatever the network, the service or a reload do in between. */

import { cancelTask, download, getTask, presign, type Submission, submit, taskEvents, upload } from '../api/client';
import { ApiError } from '../api/errors';
import { pause } from '../pause';
import { isInFlight, type TaskRecord } from './record';
import { addTask, changeTask, deleteTask, findTask, useTasks } from './store';

/** A submission whose result has no place yet; without an `avatar_id`, it is of a new one. */
export type Wish = Unplaced<Submission>;
type Unplaced<S extends Submission> = S extends Submission
  ? { operation: S['operation']; body: Omit<S['body'], Given> & { avatar_id?: string | undefined } }
  : never;
type Given = 'writeUrl' | 'readUrl' | 'avatar_id';

const POLL_MS = 1000;

/** A write URL is good for an hour; what has not been sent by then is not sent any more. */
const STALE_MS = 50 * 60_000;

/** Sends it; resolves once it is written down, so that a reload sends the very same request with the same key. */
export async function request(wish: Wish, sources?: TaskRecord['sources']): Promise<void> {
  const { key: objectKey, writeUrl, readUrl } = await presign();
  const body = { ...wish.body, avatar_id: wish.body.avatar_id ?? newId(), writeUrl, readUrl };
  const submission = { ...wish, body } as Submission;
  const record = { ...submission, key: newId(), objectKey, createdAt: Date.now(), sources };
  await addTask(record);
  void send(record);
}

/** The same again, with a new key and a new place for its result. */
export async function retry(record: TaskRecord): Promise<void> {
  const wish: Wish = { operation: record.operation, body: record.body } as Submission;
  // Links may have expired meanwhile, which is what ends most tasks as `fetch_failed`.
  if (wish.operation === 'overlay' && record.sources) {
    const [person, background] = await Promise.all([upload(record.sources.person), upload(record.sources.background)]);
    wish.body = { ...wish.body, params: { ...wish.body.params, person, background } };
  }
  await request(wish, record.sources);
}

/** Sends a record until the service has taken or refused it. */
async function send(record: TaskRecord): Promise<void> {
  const { key } = record;
  while (findTask(key)) {
    if (Date.now() - record.createdAt > STALE_MS) {
      return changeTask(key, { refusal: { message: 'It could not be sent in time.', fields: {} } });
    }
    try {
      const taskId = await submit(record, key);
      // Cancelled while it was being sent.
      if (!findTask(key)) return void (await cancelTask(taskId));
      await changeTask(key, { taskId, waitingUntil: undefined });
      return follow(key);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const { kind, message, fields, retryAfter } = error;
      if (kind === 'refused') return changeTask(key, { refusal: { message, fields } });
      await changeTask(key, { waitingUntil: Date.now() + retryAfter * 1000 });
      await pause(retryAfter * 1000);
    }
  }
}

/** After a reload: goes on with everything that had not ended. */
export function resume(): void {
  for (const record of useTasks.getState()) {
    if (isInFlight(record)) void (record.taskId ? follow(record.key) : send(record));
    else if (record.task?.status === 'done' && !record.picture) void fetchPicture(record);
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
    await poll(key, record.taskId);
  }
  if (record?.task?.status === 'done') await fetchPicture(record);
}

/** Until it ends or breaks; not at all where another one is open. */
async function stream(key: string): Promise<void> {
  const taskId = findTask(key)?.taskId;
  if (streaming || !taskId) return;
  streaming = true;
  try {
    for await (const task of taskEvents(taskId)) await changeTask(key, { task });
  } catch {
    // Polling finds out why.
  } finally {
    streaming = false;
  }
}

async function poll(key: string, taskId: string): Promise<void> {
  try {
    await changeTask(key, { task: await getTask(taskId) });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.kind === 'refused' && error.status === 404) await changeTask(key, { lost: true });
  }
}

/** Cancels; throws an `ApiError` where the service cannot, or it is too late. */
export async function cancel({ key, taskId }: TaskRecord): Promise<void> {
  if (!taskId) return deleteTask(key);
  await changeTask(key, { task: await cancelTask(taskId) });
}

/** Keeps the result here, by a fresh link if the first has expired. */
async function fetchPicture({ key, body, objectKey }: TaskRecord): Promise<void> {
  const links = [async () => body.readUrl, async () => (await presign(objectKey)).readUrl];
  for (const link of links) {
    try {
      return await changeTask(key, { picture: await download(await link()), lost: false });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
    }
  }
  await changeTask(key, { lost: true });
}

/** 128 random bits in hexadecimal; `crypto.randomUUID` is missing on plain-http pages other than localhost. */
function newId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
