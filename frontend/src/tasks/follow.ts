/** Keeps records up to date: by event streams while the page is visible, by polling otherwise. */

import { cancelTask, download, getTask, presign } from '../api/client';
import { ApiError } from '../api/errors';
import { taskEvents } from '../api/events';
import { isInFlight, type TaskRecord } from './record';
import { tasks } from './store';

/** More would starve other requests: a browser opens six connections to a server that speaks HTTP/1.1. */
const MAX_STREAMS = 2;
const POLL_MS = 2000;
/** After a stream broke: it probably would again. */
const POLL_INSTEAD_MS = 1000;

let streams = 0;

/** Follows an accepted task to its end, and fetches its picture. */
export async function followTask(key: string): Promise<void> {
  let broken = false;
  for (let record = tasks.find(key); record && isInFlight(record) && record.taskId; record = tasks.find(key)) {
    const mayStream = !broken && streams < MAX_STREAMS && document.visibilityState === 'visible';
    if (mayStream) broken = await stream(record.key, record.taskId);
    else await poll(record.key, record.taskId);
    const left = tasks.find(key);
    if (left && isInFlight(left)) await pause(broken ? POLL_INSTEAD_MS : mayStream ? 0 : POLL_MS);
  }
  const ended = tasks.find(key);
  if (ended?.task?.status === 'done') await fetchPicture(ended);
}

/** Whether the stream broke: an end that nobody asked for, and before the task's own. */
async function stream(key: string, taskId: string): Promise<boolean> {
  const abort = new AbortController();
  const onHide = () => abort.abort();
  document.addEventListener('visibilitychange', onHide, { once: true });
  streams++;
  try {
    for await (const task of taskEvents(taskId, abort.signal)) await tasks.change(key, { task });
  } catch {
    return !abort.signal.aborted;
  } finally {
    streams--;
    document.removeEventListener('visibilitychange', onHide);
  }
  const record = tasks.find(key);
  return record !== undefined && isInFlight(record);
}

async function poll(key: string, taskId: string): Promise<void> {
  try {
    await tasks.change(key, { task: await getTask(taskId) });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.kind === 'refused' && error.status === 404) await tasks.change(key, { forgotten: true });
  }
}

/** Cancels; throws an `ApiError` where the service cannot, or it is too late. */
export async function cancel(record: TaskRecord): Promise<void> {
  if (!record.taskId) return tasks.delete(record.key);
  await tasks.change(record.key, { task: await cancelTask(record.taskId) });
}

/** Keeps the result here, by a fresh link if the first has expired. */
export async function fetchPicture(record: TaskRecord): Promise<void> {
  const links = [async () => record.body.readUrl, async () => (await presign(record.objectKey)).readUrl];
  for (const link of links) {
    try {
      return await tasks.change(record.key, { picture: await download(await link()), expired: false });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
    }
  }
  await tasks.change(record.key, { expired: true });
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
