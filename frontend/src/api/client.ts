/** The API: one axios instance, whose interceptors add what every request needs and translate what went wrong. */

import axios, { AxiosError, type InternalAxiosRequestConfig } from 'axios';
import { Observable } from '../observable';
import { settings } from '../settings';
import { ApiError, apiError, unreachable } from './errors';
import type { components } from './schema';

type Schemas = components['schemas'];
export type Task = Schemas['TaskResponse'];
export type Status = Schemas['Status'];
export type Operation = Schemas['Operation'];
export type Service = Schemas['ServiceResponse'];
export type Presigned = Schemas['PresignResponse'];

export type Submission =
  | { readonly operation: 'avatar'; readonly body: Schemas['AvatarRequest'] }
  | { readonly operation: 'background'; readonly body: Schemas['BackgroundRequest'] }
  | { readonly operation: 'overlay'; readonly body: Schemas['OverlayRequest'] };

/** Whether the service answered last time, and whether it then wanted another API key. */
export const connection = new Observable<{ readonly reachable: boolean; readonly needsKey: boolean }>({
  reachable: true,
  needsKey: false,
});

const http = axios.create({ timeout: 30_000 });

http.interceptors.request.use((request: InternalAxiosRequestConfig) => {
  const { baseUrl, apiKey } = settings.get();
  request.baseURL = baseUrl;
  if (apiKey) request.headers.set('Authorization', `Bearer ${apiKey}`);
  return request;
});

http.interceptors.response.use(
  (response) => {
    noteAnswer(null);
    return response;
  },
  (error: unknown) => {
    const translated = translate(error);
    noteAnswer(translated);
    throw translated;
  },
);

function translate(error: unknown): ApiError {
  if (!(error instanceof AxiosError) || !error.response) return unreachable();
  const { status, data, headers } = error.response;
  return apiError(status, data, headers['retry-after'] ?? null);
}

function noteAnswer(error: ApiError | null): void {
  const now = { reachable: !error || error.kind === 'refused', needsKey: error?.status === 401 };
  const before = connection.get();
  if (now.reachable !== before.reachable || now.needsKey !== before.needsKey) connection.set(now);
}

export async function getService(): Promise<Service> {
  return (await http.get<Service>('/service')).data;
}

/** URLs of a new object, or fresh ones of the object `key`. */
export async function presign(key?: string): Promise<Presigned> {
  return (await http.post<Presigned>('/storage/presign', key ? { key } : {})).data;
}

/** The task's id. The same `idempotencyKey` never starts a second task. */
export async function submit({ operation, body }: Submission, idempotencyKey: string): Promise<string> {
  const headers = { 'Idempotency-Key': idempotencyKey };
  const path = operation === 'avatar' ? '/avatar' : `/avatar/${encodeURIComponent(body.avatar_id)}/${operation}`;
  const method = operation === 'avatar' ? 'POST' : 'PUT';
  return (await http.request<Schemas['Accepted']>({ method, url: path, data: body, headers })).data.aige_task_id;
}

export async function getTask(id: string): Promise<Task> {
  return (await http.get<Task>(`/task/${encodeURIComponent(id)}`)).data;
}

export async function cancelTask(id: string): Promise<Task> {
  return (await http.delete<Task>(`/task/${encodeURIComponent(id)}`)).data;
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
