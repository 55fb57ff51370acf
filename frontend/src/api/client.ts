/** The API: one axios instance, whose interceptors add what every request needs and translate what went wrong. */

import axios, { AxiosError, type InternalAxiosRequestConfig } from 'axios';
import { EventSourceParserStream } from 'eventsource-parser/stream';
import { create } from 'zustand';
import { useSettings } from '../settings';
import { ApiError, apiError, unreachable } from './errors';
import type { components } from './schema';

type Schemas = components['schemas'];
export type Task = Schemas['TaskResponse'];
export type Status = Schemas['Status'];
export type Operation = Schemas['Operation'];
export type Service = Schemas['ServiceResponse'];
export type TaskPage = Schemas['TaskListResponse'];
export type Credentials = Schemas['VerifyResponse'];
export type Overview = Schemas['OverviewResponse'];

/** `cursor` is the `next` of the page before. */
export interface TaskQuery {
  readonly status?: readonly Status[];
  readonly operation?: readonly Operation[];
  readonly limit?: number;
  readonly cursor?: string;
}

export type Submission =
  | { readonly operation: 'avatar'; readonly body: Schemas['AvatarRequest'] }
  | { readonly operation: 'background'; readonly body: Schemas['BackgroundRequest'] }
  | { readonly operation: 'overlay'; readonly body: Schemas['OverlayRequest'] };

/** Whether there is a network, whether the service answered last time, and whether it then wanted another API key. */
export const useConnection = create(() => ({ online: navigator.onLine, reachable: true, needsKey: false }));

for (const event of ['online', 'offline']) {
  addEventListener(event, () => useConnection.setState({ online: navigator.onLine }));
}

const http = axios.create({ timeout: 30_000 });

/** For a request with so many bytes, in milliseconds: an uplink may be as slow as 64 kbit/s. */
const timeoutFor = (bytes: number) => 30_000 + bytes / 8;

/** The service sends something on each stream of events every 15 s at least. */
const SILENCE_MS = 45_000;

http.interceptors.request.use((request: InternalAxiosRequestConfig) => {
  const { baseUrl, apiKey } = useSettings.getState();
  request.baseURL = baseUrl;
  if (apiKey) request.headers.set('Authorization', `Bearer ${inBytes(apiKey)}`);
  return request;
});

http.interceptors.response.use(
  (response) => {
    useConnection.setState({ reachable: true, needsKey: false });
    return response;
  },
  async (error: unknown) => {
    if (axios.isCancel(error)) throw error;
    const { status = 0, data, headers } = (error as AxiosError).response ?? {};
    const body = data instanceof ReadableStream ? await parsed(data) : data;
    const translated = status ? apiError(status, body, headers?.['retry-after']) : unreachable();
    const reachable = translated.kind === 'refused' || translated.status === 429;
    useConnection.setState({ reachable, ...(translated.status === 401 && { needsKey: true }) });
    throw translated;
  },
);

/** A header is made of bytes, one for each letter; a key's are those of its UTF-8. */
function inBytes(key: string): string {
  return String.fromCharCode(...new TextEncoder().encode(key));
}

/** What is said instead of a stream of events: JSON, or else text. */
async function parsed(stream: ReadableStream): Promise<unknown> {
  const text = await new Response(stream).text().catch(() => '');
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** An answer without limits is not AIGE's: the service then counts as unreachable. */
export async function getService(): Promise<Service> {
  const { data } = await http.get<Service | undefined>('/service');
  if (data?.limits) return data;
  useConnection.setState({ reachable: false });
  throw unreachable();
}

/** URLs of a new object, or fresh ones of the object `key`. */
export async function presign(key?: string): Promise<Schemas['PresignResponse']> {
  return (await http.post<Schemas['PresignResponse']>('/storage/presign', key ? { key } : {})).data;
}

/** The task's id. The same `idempotencyKey` never starts a second task. */
export async function submit({ operation, body }: Submission, idempotencyKey: string): Promise<string> {
  const headers = { 'Content-Type': 'application/json', 'Idempotency-Key': idempotencyKey };
  const url = operation === 'avatar' ? '/avatar' : `/avatar/${encodeURIComponent(body.avatar_id)}/${operation}`;
  const method = operation === 'avatar' ? 'POST' : 'PUT';
  const data = JSON.stringify(body);
  const request = { method, url, data, headers, timeout: timeoutFor(data.length) };
  return (await http.request<Schemas['Accepted']>(request)).data.aige_task_id;
}

export async function getTask(id: string): Promise<Task> {
  return (await http.get<Task>(pathOf(id))).data;
}

export async function cancelTask(id: string): Promise<Task> {
  return (await http.delete<Task>(pathOf(id))).data;
}

/** The caller's tasks that `query` names (`status` and `operation` may be several each), newest first. */
export async function getTasks(query: TaskQuery): Promise<TaskPage> {
  return (await http.get<TaskPage>('/tasks', { params: query, paramsSerializer: { indexes: null } })).data;
}

/** What the picture's content credentials say. */
export async function verify(picture: Blob): Promise<Credentials> {
  const headers = { 'Content-Type': picture.type || 'application/octet-stream' };
  return (await http.post<Credentials>('/verify', picture, { headers, timeout: timeoutFor(picture.size) })).data;
}

/** Each state of the task, from the present one to the final one. */
export function taskEvents(id: string): AsyncGenerator<Task> {
  return events<Task>(`${pathOf(id)}/events`);
}

/** What the service does for all callers, about once a second; until `signal`. For operators alone. */
export function operatorEvents(signal: AbortSignal): AsyncGenerator<Overview> {
  return events<Overview>('/operator/events', signal);
}

/**
 * The data of server-sent events, until they end, `signal` aborts, or the line is silent for too long: it is dead then.
 * Through `fetch`: an `EventSource` can send no API key, and reopens what has ended.
 */
async function* events<T>(path: string, signal?: AbortSignal): AsyncGenerator<T> {
  const stop = new AbortController();
  const abort = () => stop.abort();
  let silence = setTimeout(abort, SILENCE_MS);
  const listening = new TransformStream<BufferSource, BufferSource>({
    transform(bytes, out) {
      clearTimeout(silence);
      silence = setTimeout(abort, SILENCE_MS);
      out.enqueue(bytes);
    },
  });
  signal?.addEventListener('abort', abort);
  try {
    const open = { adapter: 'fetch', responseType: 'stream', timeout: 0, signal: stop.signal } as const;
    const { data } = await http.get<ReadableStream<BufferSource>>(path, open);
    const texts = data.pipeThrough(listening).pipeThrough(new TextDecoderStream());
    const incoming = texts.pipeThrough(new EventSourceParserStream()).getReader();
    // Not `for await` over the stream itself: Safari cannot.
    for (let event = await incoming.read(); !event.done; event = await incoming.read())
      yield JSON.parse(event.value.data);
  } finally {
    clearTimeout(silence);
    signal?.removeEventListener('abort', abort);
    abort();
  }
}

function pathOf(id: string): string {
  return `/task/${encodeURIComponent(id)}`;
}

/** Stores a picture, for the service to read; the answer is its read URL. */
export async function upload(picture: Blob): Promise<string> {
  const { writeUrl, readUrl } = await presign();
  // Not through the instance: a signed URL brings its own permission, and a bucket refuses to see two.
  await axios.put(writeUrl, picture, { headers: { 'Content-Type': picture.type } }).catch(rethrow);
  return readUrl;
}

export async function download(url: string): Promise<Blob> {
  return (await axios.get<Blob>(url, { responseType: 'blob' }).catch(rethrow)).data;
}

/** Of an object store, which speaks no problem documents: only its own trouble passes. */
function rethrow(error: unknown): never {
  const status = error instanceof AxiosError ? error.response?.status : undefined;
  if (!status) throw unreachable();
  throw new ApiError(status < 500 ? 'refused' : 'away', status, `The object store answered with status ${status}.`);
}
