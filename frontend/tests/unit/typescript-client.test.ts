/** The published client, over a `fetch` of the tests' own. */

import { afterEach, describe, expect, it, vi } from 'vitest';
import { Aige, AigeError, type Task, TaskEnded } from '../../../clients/typescript/src/client';

const BODY = { prompt: 'a sea', avatar_id: 'a b', writeUrl: 'https://s/put', readUrl: 'https://s/get' };

interface Asked {
  readonly url: string;
  readonly method: string;
  readonly headers: Headers;
}

type Answer = Response | Error | ((signal: AbortSignal) => Response | Promise<Response>);

/** A client, what it asked, and how long it slept; it is answered with these, one after the other. */
function client(...answers: Answer[]) {
  const asked: Asked[] = [];
  const slept: number[] = [];
  const aige = new Aige({
    url: 'http://aige.test/',
    key: 'schlüssel',
    fetch: async (url, { method = 'GET', headers, signal } = {}) => {
      asked.push({ url: String(url), method, headers: new Headers(headers) });
      const answer = answers.shift();
      if (!answer || answer instanceof Error) throw answer ?? new TypeError('nothing answers');
      return typeof answer === 'function' ? answer(signal as AbortSignal) : answer;
    },
    sleep: async (seconds) => {
      slept.push(seconds);
    },
    clock: () => slept.reduce((sum, seconds) => sum + seconds, 0),
  });
  return { aige, asked, slept };
}

const json = (body: unknown, status = 200) => new Response(JSON.stringify(body), { status });
const accepted = () => json({ aige_task_id: 't', avatar_id: 'a b' }, 201);
const plain = (status: number) => new Response('no app', { status, headers: { 'Content-Type': 'text/plain' } });

function problem(status: number, headers: Record<string, string> = {}) {
  const body = JSON.stringify({ title: 't', status, detail: 'In words.' });
  return new Response(body, { status, headers: { 'Content-Type': 'application/problem+json', ...headers } });
}

const task = (status: string, error: Task['error'] = null) => ({ aige_task_id: 't', status, error }) as Task;
const events = (...tasks: Task[]) =>
  new Response(tasks.map((t) => `event: status\ndata: ${JSON.stringify(t)}\n\n`).join(''));

const started = (start: (body: ReadableStreamDefaultController<Uint8Array>) => unknown) =>
  new Response(new ReadableStream({ start: (body) => void start(body) }));

/** A body that begins so, and then breaks off. */
const broken = (text: string) =>
  started((body) => {
    body.enqueue(new TextEncoder().encode(text));
    setTimeout(() => body.error(new TypeError('terminated')));
  });

/** A body that begins so, and then says nothing more. */
const stuck = (text: string, signal: AbortSignal) =>
  started((body) => {
    body.enqueue(new TextEncoder().encode(text));
    signal.addEventListener('abort', () => body.error(signal.reason));
  });

/** Ten minutes of pings, one every 15 s, and then the task. */
const pinging = (last: Task, signal: AbortSignal) =>
  started(async (body) => {
    const say = (text: string) => signal.aborted || body.enqueue(new TextEncoder().encode(text));
    for (let pings = 0; pings < 39; pings++) {
      await new Promise((resolve) => setTimeout(resolve, 15_000));
      say(': ping\n\n');
    }
    say(`data: ${JSON.stringify(last)}\n\n`);
    body.close();
  });

/** Takes the connection, and says nothing. */
const silence = (signal: AbortSignal) =>
  new Promise<Response>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));

afterEach(() => vi.useRealTimers());

async function statuses(tasks: AsyncIterable<Task>): Promise<string[]> {
  const seen: string[] = [];
  for await (const { status } of tasks) seen.push(status);
  return seen;
}

describe('a submission', () => {
  it('has a key of its own, and the API key', async () => {
    const { aige, asked } = client(accepted(), accepted());
    expect([await aige.background(BODY), await aige.overlay({ ...BODY, params: {} } as never, 'mine')]).toEqual([
      't',
      't',
    ]);
    expect(asked.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'PUT http://aige.test/api/v1/avatar/a%20b/background',
      'PUT http://aige.test/api/v1/avatar/a%20b/overlay',
    ]);
    expect(asked[0]?.headers.get('Idempotency-Key')).toMatch(/^[0-9a-f]{32}$/);
    expect(asked[1]?.headers.get('Idempotency-Key')).toBe('mine');
    expect(Buffer.from(asked[0]?.headers.get('Authorization') ?? '', 'latin1').toString()).toBe('Bearer schlüssel');
  });

  it.each([
    ['no connection', () => new TypeError('refused')],
    ['no app deployed', () => plain(404)],
    ['a busy service', () => problem(503)],
    ['a gateway', () => plain(502)],
    ['a replica that died', () => plain(500)],
    ['an answer that broke off', () => broken('{"aige_task')],
  ])('is repeated with the same key after %s', async (_, trouble) => {
    const { aige, asked, slept } = client(trouble(), trouble(), accepted());
    expect(await aige.background(BODY)).toBe('t');
    expect(new Set(asked.map(({ headers }) => headers.get('Idempotency-Key'))).size).toBe(1);
    expect(slept).toEqual([0.25, 0.5]);
  });

  it('waits as long as it is told', async () => {
    const { aige, slept } = client(problem(503, { 'Retry-After': '7' }), accepted());
    await aige.background(BODY);
    expect(slept).toEqual([7]);
  });

  it('is repeated where nothing is said for half a minute', async () => {
    vi.useFakeTimers();
    const { aige, asked } = client(silence, accepted());
    const id = aige.background(BODY);
    await vi.advanceTimersByTimeAsync(29_000);
    expect(asked).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(2000);
    expect(await id).toBe('t');
  });

  it('may take as long as its body needs on a slow line', async () => {
    vi.useFakeTimers();
    const { aige, asked } = client(silence, json({ signed: false }));
    const said = aige.verify(new Blob([new Uint8Array(800_000)]));
    await vi.advanceTimersByTimeAsync(129_000);
    expect(asked).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(2000);
    expect((await said).signed).toBe(false);
  });

  it('is given up in the end', async () => {
    const { aige, slept } = client();
    await expect(aige.background(BODY)).rejects.toThrow('Nothing answers');
    expect(slept.reduce((sum, seconds) => sum + seconds)).toBeLessThanOrEqual(60);
  });

  it.each([400, 404, 409])('is not repeated where it is refused with %i', async (status) => {
    const { aige, asked } = client(problem(status));
    await expect(aige.background(BODY)).rejects.toEqual(new AigeError('In words.', status));
    expect(asked).toHaveLength(1);
  });
});

describe('a task', () => {
  it('is followed by its events', async () => {
    const { aige, asked } = client(events(task('pending'), task('done')));
    expect(await statuses(aige.updates('t'))).toEqual(['pending', 'done']);
    expect(asked).toHaveLength(1);
  });

  it.each([
    ['breaks off', () => events(task('pending'))],
    ['is not there', () => plain(404)],
    ['makes no sense', () => new Response('data: {\n\n')],
    ['cannot be opened', () => new TypeError('refused')],
  ])('is asked for every second where the stream %s', async (_, stream) => {
    const { aige, slept } = client(
      stream(),
      json(task('uploading_image')),
      json(task('uploading_image')),
      json(task('done')),
    );
    const seen = await statuses(aige.updates('t'));
    expect(seen.slice(-2)).toEqual(['uploading_image', 'done']);
    expect(slept).toEqual([1, 1]);
  });

  it('is asked for once nothing comes on its stream any more', async () => {
    vi.useFakeTimers();
    const { aige } = client(
      (signal) => stuck(`data: ${JSON.stringify(task('pending'))}\n\n: ping\n\n`, signal),
      json(task('done')),
    );
    const done = aige.done('t');
    await vi.advanceTimersByTimeAsync(46_000);
    expect((await done).status).toBe('done');
  });

  it('is followed for as long as something comes on its stream', async () => {
    vi.useFakeTimers();
    const { aige, asked } = client((signal) => pinging(task('done'), signal));
    const done = aige.done('t');
    await vi.advanceTimersByTimeAsync(600_000);
    expect((await done).status).toBe('done');
    expect(asked).toHaveLength(1);
  });

  it('that has ended is not cancelled', async () => {
    const { aige } = client(new TypeError('the answer is lost'), problem(409), json(task('error')));
    expect((await aige.cancel('t')).status).toBe('error');
  });

  it('that fails says why', async () => {
    const { aige } = client(events(task('error', { code: 'no_person_found', message: 'Nobody is there.' })));
    await expect(aige.done('t')).rejects.toThrow(TaskEnded);
  });

  it('that is done is returned', async () => {
    const { aige } = client(events(task('done')));
    expect((await aige.done('t')).status).toBe('done');
  });
});

it('tasks come page by page, with their filters', async () => {
  const { aige, asked } = client(
    json({ tasks: [task('done'), task('error')], next: 'a+b' }),
    json({ tasks: [task('done')], next: null }),
  );
  const found = aige.tasks({ status: ['done', 'error'], avatar_id: ['a b'] });
  expect(await statuses(found)).toEqual(['done', 'error', 'done']);
  const filters = 'limit=100&status=done&status=error&avatar_id=a+b';
  expect(asked.map(({ method, url }) => `${method} ${url}`)).toEqual([
    `GET http://aige.test/api/v1/tasks?${filters}`,
    `GET http://aige.test/api/v1/tasks?${filters}&cursor=a%2Bb`,
  ]);
});

it('an avatar is erased, and a webhook sent again', async () => {
  const { aige, asked } = client(json({ avatar_id: 'a b', tasks: 2, objects: 1, provider: [] }), json(task('done')));
  expect((await aige.erase('a b')).tasks).toBe(2);
  expect((await aige.sendWebhookAgain('t')).status).toBe('done');
  expect(asked.map(({ method, url }) => `${method} ${url}`)).toEqual([
    'DELETE http://aige.test/api/v1/avatar/a%20b',
    'POST http://aige.test/api/v1/task/t/webhook',
  ]);
});

it('a picture is put without the API key', async () => {
  const { aige, asked } = client(json({ writeUrl: 'https://s/put', readUrl: 'https://s/get' }), new Response(''));
  expect(await aige.upload(new Blob(['png']))).toBe('https://s/get');
  expect(asked[1]).toMatchObject({ method: 'PUT', url: 'https://s/put' });
  expect(asked[1]?.headers.has('Authorization')).toBe(false);
});
