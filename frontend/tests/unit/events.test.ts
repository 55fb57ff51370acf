/** Event streams arrive in pieces of any length. */

import { expect, test } from 'vitest';
import { eventData } from '../../src/api/events.ts';

async function dataOf(...pieces: string[]): Promise<string[]> {
  async function* stream() {
    yield* pieces;
  }
  const found: string[] = [];
  for await (const data of eventData(stream())) found.push(data);
  return found;
}

test('each event gives its data', async () => {
  expect(await dataOf('event: status\ndata: 1\n\nevent: status\ndata: 2\n\n')).toEqual(['1', '2']);
});

test('an event may be torn anywhere', async () => {
  const text = 'event: status\r\ndata: {"a": 1}\r\n\r\nevent: status\r\ndata: 2\r\n\r\n';
  for (let cut = 0; cut <= text.length; cut++) {
    expect(await dataOf(text.slice(0, cut), text.slice(cut))).toEqual(['{"a": 1}', '2']);
  }
});

test('comments, and an event that never ended, say nothing', async () => {
  expect(await dataOf(': still here\n\ndata: 1\n\ndata: 2')).toEqual(['1']);
});

test('data of several lines stays together', async () => {
  expect(await dataOf('data: a\ndata:  b\n\n')).toEqual(['a\n b']);
});
