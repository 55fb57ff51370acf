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

http.interceptors.request.use((request: InternalAxiosRequestConfig) => {
  const { baseUrl, apiKey } = useSettings.getState();
  request.baseURL = baseUrl;
  if (apiKey) request.headers.set('Authorization', `Bearer ${apiKey}`);
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
    useConnection.setState({ reachable, needsKey: translated.status === 401 });
    throw translated;
  },
);

/** What is said instead of a stream of events: JSON, or else text. */
async function parsed(stream: ReadableStream): Promise<unknown> {
  const text = await new Response(stream).text().catch(() => '');
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

export async function getService(): Promise<Service> {
  return (await http.get<Service>('/service')).data;
}

/** URLs of a new object, or fresh ones of the object `key`. */
export async function presign(key?: string): Promise<Schemas['PresignResponse']> {
  return (await http.post<Schemas['PresignResponse']>('/storage/presign', key ? { key } : {})).data;
}

/** The task's id. The same `idempotencyKey` never starts a second task. */
export async function submit({ operation, body }: Submission, idempotencyKey: string): Promise<string> {
  const headers = { 'Idempotency-Key': idempotencyKey };
  const path = operation === 'avatar' ? '/avatar' : `/avatar/${encodeURIComponent(body.avatar_id)}/${operation}`;
  const method = operation === 'avatar' ? 'POST' : 'PUT';
  return (await http.request<Schemas['Accepted']>({ method, url: path, data: body, headers })).data.aige_task_id;
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
  return (await http.post<Credentials>('/verify', picture, { headers })).data;
}

/** Each state of the task, from the present one to the final one. */
export function taskEvents(id: string): AsyncGenerator<Task> {
  return events<Task>(`${pathOf(id)}/events`);
}

/** What the service does for all callers, about once a second; until `signal`. For operators alone. */
export function operatorEvents(signal: AbortSignal): AsyncGenerator<Overview> {
  return events<Overview>('/operator/events', signal);
}

/** The data of server-sent events. Through `fetch`: an `EventSource` can send no API key, and reopens what has ended. */
async function* events<T>(path: string, signal?: AbortSignal): AsyncGenerator<T> {
  const open = { adapter: 'fetch', responseType: 'stream', timeout: 0, ...(signal && { signal }) } as const;
  const { data } = await http.get<ReadableStream<BufferSource>>(path, open);
  const incoming = data.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream()).getReader();
  // Not `for await` over the stream itself: Safari cannot.
  for (let event = await incoming.read(); !event.done; event = await incoming.read())
    yield JSON.parse(event.value.data);
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

/** Of an object store, which speaks no problem documents: whatever it answers, it means it. */
function rethrow(error: unknown): never {
  const status = error instanceof AxiosError ? error.response?.status : undefined;
  throw status ? new ApiError('refused', status, `The object store answered with status ${status}.`) : unreachable();
}
