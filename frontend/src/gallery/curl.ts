/** A request as a command line, for who wants to do the same without the page; without keys, signatures and photos. */

import { settings } from '../settings';
import type { TaskRecord } from '../tasks/record';

export function curlOf({ operation, body }: Pick<TaskRecord, 'operation' | 'body'>): string {
  const { baseUrl } = settings.get();
  const base = new URL(baseUrl, location.href).href;
  const path = operation === 'avatar' ? 'avatar' : `avatar/${encodeURIComponent(body.avatar_id)}/${operation}`;
  const shown = JSON.stringify(body, (name, value) => (SECRET.has(name) ? `<${name}>` : photoOr(value)), 2);
  return [
    `curl -X ${operation === 'avatar' ? 'POST' : 'PUT'} '${base}/${path}'`,
    `-H 'Content-Type: application/json'`,
    `-d '${shown.replaceAll("'", `'\\''`)}'`,
  ].join(' \\\n  ');
}

const SECRET = new Set(['writeUrl', 'readUrl', 'person', 'background']);

function photoOr(value: unknown): unknown {
  return typeof value === 'string' && value.startsWith('data:') ? '<photo>' : value;
}
