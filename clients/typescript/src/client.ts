/** A client of AIGE's API for browsers and Node. It needs nothing but `fetch`; its types are the API's own. */

import type { components } from './schema';

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
}

const BUSY = new Set([429, 502, 503, 504]);

export class Aige {
  readonly #base: string;
  readonly #key: string | undefined;
  readonly #patience: number;
  readonly #fetch: typeof fetch;
  readonly #sleep: (seconds: number) => Promise<void>;

  constructor({ url = 'http://127.0.0.1:8000', key, patience = 60, fetch: own, sleep = pause }: Options = {}) {
    this.#base = `${url.replace(/\/+$/, '')}/api/v1`;
    this.#key = key;
    this.#patience = patience;
    this.#fetch = own ?? ((...request) => fetch(...request));
    this.#sleep = sleep;
  }

  /** Starts an avatar; answers the task's id. The same `idempotencyKey` never starts a second task. */
  avatar(body: AvatarRequest, idempotencyKey: string = crypto.randomUUID()): Promise<string> {
    return this.#submit('POST', '/avatar', body, idempotencyKey);
  }

  /** Starts a background. */
  background(body: BackgroundRequest, idempotencyKey: string = crypto.randomUUID()): Promise<string> {
    return this.#submit('PUT', `/avatar/${encodeURIComponent(body.avatar_id)}/background`, body, idempotencyKey);
  }

  /** Starts an overlay. */
  overlay(body: OverlayRequest, idempotencyKey: string = crypto.randomUUID()): Promise<string> {
    return this.#submit('PUT', `/avatar/${encodeURIComponent(body.avatar_id)}/overlay`, body, idempotencyKey);
  }

  task(id: string): Promise<Task> {
    return this.#json('GET', `/task/${encodeURIComponent(id)}`);
  }

  cancel(id: string): Promise<Task> {
    return this.#json('DELETE', `/task/${encodeURIComponent(id)}`);
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

  /** The task at each change, to its end: as events, and by asking every second where the stream breaks off. */
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
    const { ok, body } = await this.#fetch(path, { headers: this.#headers() });
    if (!ok || !body) return;
    const reader = body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader();
    let text = '';
    try {
      for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
        const lines = (text + piece.value).split(/\r\n|\n|\r/);
        text = lines.pop() ?? '';
        for (const line of lines) if (line.startsWith('data:')) yield JSON.parse(line.slice(5));
      }
    } finally {
      await reader.cancel().catch(() => undefined);
    }
  }

  async #submit(method: string, path: string, body: object, idempotencyKey: string): Promise<string> {
    const headers = { 'Content-Type': 'application/json', 'Idempotency-Key': idempotencyKey };
    const request = { body: JSON.stringify(body), headers };
    return (await this.#json<Schemas['Accepted']>(method, path, request)).aige_task_id;
  }

  async #json<T>(method: string, path: string, request: RequestInit = {}): Promise<T> {
    const headers = this.#headers(request.headers);
    return (await this.#answer(this.#base + path, { ...request, method, headers })).json();
  }

  #headers(more: HeadersInit = {}): Headers {
    const headers = new Headers(more);
    if (this.#key) headers.set('Authorization', `Bearer ${this.#key}`);
    return headers;
  }

  /** A success. What may pass is asked for again, as long as patience lasts. */
  async #answer(url: string, request: RequestInit): Promise<Response> {
    let left = this.#patience;
    for (let tries = 0; ; tries++) {
      const response = await this.#fetch(url, request).catch(() => null);
      if (response?.ok) return response;
      const problem = response && isProblem(response) ? await response.json() : null;
      // While the app is not deployed, Ray's own proxy answers 404 in plain text.
      const mayPass = !response || BUSY.has(response.status) || (response.status === 404 && !problem);
      const wait = Number(response?.headers.get('Retry-After')) || Math.min(0.25 * 2 ** tries, 8);
      if (!mayPass || wait > left) throw refusal(response, problem);
      left -= wait;
      await this.#sleep(wait);
    }
  }
}

/** Whether the task is over. */
export function hasEnded(task: Task): boolean {
  return task.status === 'done' || task.status === 'error';
}

function refusal(response: Response | null, problem: Schemas['Problem'] | null): AigeError {
  if (!response) return new AigeError('Nothing answers: start AIGE, or name another address.', 0);
  return new AigeError(problem?.detail ?? `The answer has the status ${response.status}.`, response.status);
}

function isProblem(response: Response): boolean {
  return response.headers.get('Content-Type')?.startsWith('application/problem+json') ?? false;
}

function pause(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
}
