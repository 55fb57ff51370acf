/** From a wish to an accepted task: exactly one, whatever the network, the service or a reload do in between. */

import { presign, type Submission, submit, upload } from '../api/client';
import { ApiError } from '../api/errors';
import { newId } from '../newId';
import { fetchPicture, followTask } from './follow';
import { isInFlight, phaseOf, type TaskRecord } from './record';
import { tasks } from './store';

/** A submission whose result has no place yet. */
export type Wish = Unplaced<Submission>;
type Unplaced<S> = S extends Submission
  ? { operation: S['operation']; body: Omit<S['body'], 'writeUrl' | 'readUrl'> }
  : never;

/** A write URL is good for an hour; what has not been sent by then is not sent any more. */
const STALE_MS = 50 * 60_000;

/** Sends it; resolves once it is written down, so that a reload sends the very same request with the same key. */
export async function request(wish: Wish, sources: TaskRecord['sources'] = null): Promise<TaskRecord> {
  const { key: objectKey, writeUrl, readUrl } = await presign();
  const record = {
    operation: wish.operation,
    body: { ...wish.body, writeUrl, readUrl },
    key: newId(),
    objectKey,
    createdAt: Date.now(),
    taskId: null,
    task: null,
    refusal: null,
    waitingUntil: null,
    forgotten: false,
    picture: null,
    expired: false,
    sources,
  } as TaskRecord;
  await tasks.add(record);
  void send(record);
  return record;
}

/** The same again, with a new key and a new place for its result. */
export async function retry(record: TaskRecord): Promise<TaskRecord> {
  const { writeUrl: _, readUrl: __, ...body } = record.body;
  const wish = { operation: record.operation, body } as Wish;
  // Links may have expired meanwhile, which is what ends most tasks as `fetch_failed`.
  if (wish.operation === 'overlay' && record.sources) {
    const { person, background } = record.sources;
    const [personUrl, backgroundUrl] = await Promise.all([upload(person), upload(background)]);
    wish.body.params = { ...wish.body.params, person: personUrl, background: backgroundUrl };
  }
  return request(wish, record.sources);
}

/** Sends a record until the service has taken or refused it. */
export async function send(record: TaskRecord): Promise<void> {
  while (tasks.find(record.key)) {
    if (Date.now() - record.createdAt > STALE_MS) {
      return tasks.change(record.key, { refusal: { status: 0, message: 'It could not be sent in time.', fields: [] } });
    }
    try {
      const taskId = await submit(record, record.key);
      await tasks.change(record.key, { taskId, waitingUntil: null });
      return followTask(record.key);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.kind === 'refused') {
        const { status, message, fields } = error;
        return tasks.change(record.key, { refusal: { status, message, fields }, waitingUntil: null });
      }
      await tasks.change(record.key, { waitingUntil: Date.now() + error.retryAfter * 1000 });
      await pause(error.retryAfter);
    }
  }
}

/** After a reload: goes on with everything that had not ended. */
export function resume(): void {
  for (const record of tasks.get()) {
    if (isInFlight(record)) void (record.taskId ? followTask(record.key) : send(record));
    else if (phaseOf(record) === 'done' && !record.picture) void fetchPicture(record);
  }
}

function pause(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}
