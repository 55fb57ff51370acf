/** A client of AIGE's API for browsers and Node. It needs nothing but `fetch`; its types are the API's own. */

import type { components } from './schema.js';
import { TimeLimit } from './time-limit.js';

type Schemas = components['schemas'];
export type Task = Schemas['TaskResponse'];
export type Service = Schemas['ServiceResponse'];
export type Credentials = Schemas['VerifyResponse'];
export type Erasure = Schemas['ErasureResponse'];
export type Place = Pick<Schemas['PresignResponse'], 'writeUrl' | 'readUrl'>;
/** What has a default may be left out. */
type Sent<R> = Omit<R, 'aspect_ratio'> & Partial<Pick<R, 'aspect_ratio' & keyof R>>;
export type AvatarRequest = Sent<Schemas['AvatarRequest']>;
export type BackgroundRequest = Sent<Schemas['BackgroundRequest']>;
export type OverlayRequest = Sent<Schemas['OverlayRequest']>;

/** A request was refused (`status` is HTTP's), or nothing answered for too long (`status` is 0). */
export class AigeError extends Error {
  constructor(
    message: string,
    readonly status: number,
  ) {
    super(message);
  }
}

/** The task ended in `error`. */
export class TaskEnded extends Error {
  constructor(readonly task: Task) {
    super(task.error?.message ?? `The task ended as ${task.status}.`);
  }
}

/** Which tasks; without a filter, all. */
export interface Filters {
  readonly status?: readonly Task['status'][];
  readonly operation?: readonly Task['operation'][];
  readonly avatar_id?: readonly string[];
}

export interface Options {
  /** The service, without `/api/v1`. */
  readonly url?: string;
  /** An API key. */
  readonly key?: string;
  /** How long a request is repeated while the service is away, in seconds. */
  readonly patience?: number;
  readonly fetch?: typeof fetch;
  readonly sleep?: (seconds: number) => Promise<void>;
  /** In seconds; only differences count. */
  readonly clock?: () => number;
}

const BUSY = new Set([429, 502, 503, 504]);
const CONFLICT = 409;
/** A request's, besides what its body takes at 64 kbit/s. */
const TIMEOUT_MS = 30_000;
/** The service sends something on each stream of events every 15 s at least. */
const SILENCE_MS = 45_000;

export class Aige {
  readonly #base: string;
  readonly #key: string | undefined;
  readonly #patience: number;
  readonly #fetch: typeof fetch;
  readonly #sleep: (seconds: number) => Promise<void>;
  readonly #clock: () => number;

  constructor(options: Options = {}) {
    const { url = 'http://127.0.0.1:8000', key, patience = 60, fetch: own, sleep = pause, clock = now } = options;
    this.#base = `${url.replace(/\/+$/, '')}/api/v1`;
    this.#key = key;
    this.#patience = patience;
    this.#fetch = own ?? ((...request) => fetch(...request));
    this.#sleep = sleep;
    this.#clock = clock;
  }

  /** Starts an avatar; answers the task's id. The same `idempotencyKey` never starts a second task. */
  avatar(body: AvatarRequest, idempotencyKey: string = newId()): Promise<string> {
    return this.#submit('POST', '/avatar', body, idempotencyKey);
  }

  /** Starts a background. */
  background(body: BackgroundRequest, idempotencyKey: string = newId()): Promise<string> {
    return this.#submit('PUT', `/avatar/${encodeURIComponent(body.avatar_id)}/background`, body, idempotencyKey);
  }

  /** Starts an overlay. */
  overlay(body: OverlayRequest, idempotencyKey: string = newId()): Promise<string> {
    return this.#submit('PUT', `/avatar/${encodeURIComponent(body.avatar_id)}/overlay`, body, idempotencyKey);
  }

  task(id: string): Promise<Task> {
    return this.#json('GET', `/task/${encodeURIComponent(id)}`);
  }

  /** Ends a task; one that has already ended stays as it is. */
  async cancel(id: string): Promise<Task> {
    try {
      return await this.#json('DELETE', `/task/${encodeURIComponent(id)}`);
    } catch (error) {
      if (error instanceof AigeError && error.status === CONFLICT) return this.task(id);
      throw error;
    }
  }

  /** Your tasks, the newest first, fetched a page at a time. Of each filter, any of the values will do. */
  async *tasks(filters: Filters = {}): AsyncGenerator<Task> {
    const query = new URLSearchParams({ limit: '100' });
    for (const [name, values] of Object.entries(filters)) for (const value of values ?? []) query.append(name, value);
    for (;;) {
      const page = await this.#json<Schemas['TaskListResponse']>('GET', `/tasks?${query}`);
      yield* page.tasks;
      if (page.next === null) return;
      query.set('cursor', page.next);
    }
  }

  /** Erases the avatar's tasks, their pictures in the service's own store, and what providers keep of them. */
  erase(avatarId: string): Promise<Erasure> {
    return this.#json('DELETE', `/avatar/${encodeURIComponent(avatarId)}`);
  }

  /** Tells the end of a task to its `webhookUrl` once more. */
  sendWebhookAgain(id: string): Promise<Task> {
    return this.#json('POST', `/task/${encodeURIComponent(id)}/webhook`);
  }

  service(): Promise<Service> {
    return this.#json('GET', '/service');
  }

  /** What a picture's content credentials say. */
  verify(picture: Blob): Promise<Credentials> {
    return this.#json('POST', '/verify', { body: picture });
  }

  /** A place for one object in the service's own store. */
  presign(): Promise<Place> {
    return this.#json('POST', '/storage/presign');
  }

  /** Puts a picture into the service's own store; answers the URL at which it is read. */
  async upload(picture: Blob): Promise<string> {
    const { writeUrl, readUrl } = await this.presign();
    await this.#answer(writeUrl, { method: 'PUT', body: picture });
    return readUrl;
  }

  /** The task as it changes, to its end: as events, and by asking every second where the stream breaks off. */
  async *updates(id: string): AsyncGenerator<Task> {
    let seen = '';
    try {
      for await (const task of this.#events(id)) {
        seen = JSON.stringify(task);
        yield task;
        if (hasEnded(task)) return;
      }
    } catch (error) {
      if (!(error instanceof TypeError || error instanceof SyntaxError || error instanceof DOMException)) throw error;
    }
    for (;;) {
      const task = await this.task(id);
      if (JSON.stringify(task) !== seen) yield task;
      if (hasEnded(task)) return;
      seen = JSON.stringify(task);
      await this.#sleep(1);
    }
  }

  /** The task once it is done. Throws `TaskEnded` where it ended in `error`. */
  async done(id: string): Promise<Task> {
    let last: Task | undefined;
    for await (const task of this.updates(id)) last = task;
    if (!last || last.error) throw new TaskEnded(last as Task);
    return last;
  }

  async *#events(id: string): AsyncGenerator<Task> {
    const path = `${this.#base}/task/${encodeURIComponent(id)}/events`;
    const limit = new TimeLimit(SILENCE_MS);
    try {
      const { ok, body } = await this.#fetch(path, { headers: this.#headers(), signal: limit.signal });
      if (!ok || !body) return;
      const reader = body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader();
      let text = '';
      for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
        limit.renew();
        const lines = (text + piece.value).split(/\r\n|\n|\r/);
        text = lines.pop() ?? '';
        for (const line of lines) if (line.startsWith('data:')) yield JSON.parse(line.slice(5));
      }
    } finally {
      limit.end();
    }
  }

  async #submit(method: string, path: string, body: object, idempotencyKey: string): Promise<string> {
    const headers = { 'Content-Type': 'application/json', 'Idempotency-Key': idempotencyKey };
    const request = { body: JSON.stringify(body), headers };
    return (await this.#json<Schemas['Accepted']>(method, path, request)).aige_task_id;
  }

  async #json<T>(method: string, path: string, request: RequestInit = {}): Promise<T> {
    const headers = this.#headers(request.headers);
    return JSON.parse(await this.#answer(this.#base + path, { ...request, method, headers }));
  }

  #headers(more: HeadersInit = {}): Headers {
    const headers = new Headers(more);
    if (this.#key) headers.set('Authorization', `Bearer ${inBytes(this.#key)}`);
    return headers;
  }

  /** The body of a success. What may pass is asked for again, as long as patience lasts. */
  async #answer(url: string, request: RequestInit): Promise<string> {
    const giveUp = this.#clock() + this.#patience;
    for (let tries = 0; ; tries++) {
      const answer = await this.#tried(url, request);
      if (answer?.ok) return answer.text;
      const wait = Number(answer?.retryAfter) || Math.min(0.25 * 2 ** tries, 8);
      if (!mayPass(answer) || this.#clock() + wait > giveUp) throw refusal(answer);
      await this.#sleep(wait);
    }
  }

  /** Null where no whole answer comes, or none in time. */
  async #tried(url: string, request: RequestInit): Promise<Answer | null> {
    const limit = new TimeLimit(TIMEOUT_MS + sizeOf(request.body) / 8);
    try {
      const response = await this.#fetch(url, { ...request, signal: limit.signal });
      const { ok, status, headers } = response;
      return {
        ok,
        status,
        retryAfter: headers.get('Retry-After'),
        isProblem: isProblem(headers),
        text: await response.text(),
      };
    } catch {
      return null;
    } finally {
      limit.end();
    }
  }
}

interface Answer {
  readonly ok: boolean;
  readonly status: number;
  readonly retryAfter: string | null;
  /** Whether it is a problem document: AIGE's own word. */
  readonly isProblem: boolean;
  readonly text: string;
}

/** Whether the task is over. */
export function hasEnded(task: Task): boolean {
  return task.status === 'done' || task.status === 'error';
}

/** Ray's own proxy answers in plain text: 404 while the app is not deployed, 500 where the replica that was asked died. */
function mayPass(answer: Answer | null): boolean {
  if (!answer || BUSY.has(answer.status)) return true;
  return !answer.isProblem && (answer.status === 404 || answer.status === 500);
}

function refusal(answer: Answer | null): AigeError {
  if (!answer) return new AigeError('Nothing answers: start AIGE, or name another address.', 0);
  const detail = answer.isProblem ? (JSON.parse(answer.text) as Schemas['Problem']).detail : undefined;
  return new AigeError(detail ?? `The answer has the status ${answer.status}.`, answer.status);
}

function isProblem(headers: Headers): boolean {
  return headers.get('Content-Type')?.startsWith('application/problem+json') ?? false;
}

/** A header is made of bytes, one for each letter; a key's are those of its UTF-8. */
function inBytes(key: string): string {
  return String.fromCharCode(...new TextEncoder().encode(key));
}

/** Of the bodies that are sent here, in bytes, roughly. */
function sizeOf(body: RequestInit['body']): number {
  return typeof body === 'string' ? body.length : body instanceof Blob ? body.size : 0;
}

/** 128 random bits in hexadecimal; `crypto.randomUUID` is missing on plain-http pages other than localhost. */
function newId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function now(): number {
  return performance.now() / 1000;
}

function pause(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
}
