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
  (error: unknown) => {
    const { status = 0, data, headers } = (error as AxiosError).response ?? {};
    const translated = status ? apiError(status, data, headers?.['retry-after']) : unreachable();
    useConnection.setState({ reachable: translated.kind === 'refused', needsKey: translated.status === 401 });
    throw translated;
  },
);

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

/**
 * Each state of the task, from the present one to the final one. Through `fetch`: an `EventSource` can send no API key,
 * and reopens what has ended.
 */
export async function* taskEvents(id: string): AsyncGenerator<Task> {
  const open = { adapter: 'fetch', responseType: 'stream', timeout: 0 } as const;
  const { data } = await http.get<ReadableStream<BufferSource>>(`${pathOf(id)}/events`, open);
  const events = data.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream()).getReader();
  // Not `for await` over the stream itself: Safari cannot.
  for (let event = await events.read(); !event.done; event = await events.read()) yield JSON.parse(event.value.data);
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
