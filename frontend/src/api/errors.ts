/** What can go wrong between the page and the service, and what to tell a person about it. */

import type { components } from './schema';

export type ErrorCode = components['schemas']['ErrorCode'];
type Problem = components['schemas']['Problem'];

/** An error whose message is meant for the person at the screen. */
export class Explained extends Error {}

export class ApiError extends Explained {
  constructor(
    /** Away: no answer, or it starts, restarts or is busy; ask again in `retryAfter` s. Refused: ask otherwise. */
    readonly kind: 'away' | 'refused',
    readonly status: number,
    message: string,
    readonly retryAfter = 2,
    /** What is wrong with which field: `prompt`, `source_images`, … */
    readonly fields: Readonly<Record<string, string>> = {},
  ) {
    super(message);
  }
}

/** `body` is the parsed JSON, or text. Only problem documents are the service's own word. */
export function apiError(status: number, body: unknown, retryAfter: string | null): ApiError {
  const problem = isProblem(body) ? body : null;
  const detail = problem?.detail ?? `The service answered with status ${status}.`;
  const seconds = Number(retryAfter) || 2;
  // Of its own limit, a caller has something left again soon; a budget may take until tomorrow.
  if (status === 429 && problem?.type.endsWith('quota-exceeded')) return new ApiError('away', status, detail, seconds);
  if (status === 413) return new ApiError('refused', status, 'The photos are too large. Use fewer or smaller ones.');
  // Ray's own proxy answers in plain text: 404 while the app is not deployed, 500 where the replica that was asked died.
  const ofProxy = !problem && (status === 404 || status === 500);
  if (ofProxy || status === 502 || status === 503 || status === 504) {
    return new ApiError('away', status, detail, seconds);
  }
  const fields = (problem?.errors ?? []).map(({ loc, msg }) => [String(loc[1] ?? ''), msg]);
  return new ApiError('refused', status, detail, 0, Object.fromEntries(fields));
}

export function unreachable(): ApiError {
  return new ApiError('away', 0, 'The service cannot be reached.');
}

function isProblem(body: unknown): body is Problem {
  return typeof body === 'object' && body !== null && 'detail' in body && typeof body.detail === 'string';
}

/** retry: the same again may work; replace: other photos; edit: another prompt or photo; confirm: may cost twice. */
export type Action = 'retry' | 'replace' | 'edit' | 'confirm';

export const FAILURES: Readonly<Record<ErrorCode, { text: string; action: Action }>> = {
  invalid_image: { text: 'A picture couldn’t be read. Use PNG, JPEG or WebP.', action: 'replace' },
  no_person_found: { text: 'We found no person. Choose a clear face-and-shoulders photo.', action: 'replace' },
  content_rejected: { text: 'The provider refused this. Change the prompt or the photo.', action: 'edit' },
  engine_error: { text: 'The image model failed.', action: 'retry' },
  engine_timeout: { text: 'The image model took too long.', action: 'retry' },
  engine_outcome_unknown: { text: 'We lost contact and can’t tell whether the model ran.', action: 'confirm' },
  fetch_failed: { text: 'A picture couldn’t be loaded. It is sent again when you retry.', action: 'retry' },
  upload_failed: { text: 'The result couldn’t be saved. A new place is used when you retry.', action: 'retry' },
  upload_url_expired: { text: 'The result came too late to be saved. A new place is used.', action: 'retry' },
  budget_exceeded: { text: 'Your budget for today doesn’t pay for this picture.', action: 'retry' },
  cancelled: { text: 'Cancelled.', action: 'retry' },
  deadline_exceeded: { text: 'This passed the time limit.', action: 'retry' },
  internal: { text: 'Something broke on our side.', action: 'retry' },
};
