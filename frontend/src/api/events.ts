/** A task's event stream, through `fetch`: an `EventSource` can send no API key, and reopens what has ended. */

import { settings } from '../settings';
import type { Task } from './client';
import { unreachable } from './errors';

/** Each state of the task, from the present one to the final one. Breaks with an `ApiError` where the stream does. */
export async function* taskEvents(id: string, signal: AbortSignal): AsyncGenerator<Task> {
  const { baseUrl, apiKey } = settings.get();
  const headers: HeadersInit = { Accept: 'text/event-stream', ...(apiKey && { Authorization: `Bearer ${apiKey}` }) };
  const response = await fetch(`${baseUrl}/task/${encodeURIComponent(id)}/events`, { headers, signal });
  if (!response.ok || !response.body) throw unreachable();
  for await (const data of eventData(chunks(response.body))) yield JSON.parse(data);
}

/** Not `for await` over the body itself: Safari cannot. */
async function* chunks(body: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) yield chunk.value;
}

/** The `data` of each event in a stream that comes in pieces of any length; comments and other fields are passed over. */
export async function* eventData(pieces: AsyncIterable<string>): AsyncGenerator<string> {
  let buffered = '';
  for await (const piece of pieces) {
    // A piece may end between the two characters of a CRLF: only whole events are looked at.
    const events = (buffered + piece).split(/\r\n\r\n|\n\n|\r\r/);
    buffered = events.pop() ?? '';
    for (const event of events) {
      const lines = event.split(/\r\n|\n|\r/).filter((line) => line.startsWith('data:'));
      if (lines.length > 0) yield lines.map((line) => line.slice(5).replace(/^ /, '')).join('\n');
    }
  }
}
