/** What can go wrong between the page and the service, and what to tell a person about it. */

import type { components } from './schema';

export type ErrorCode = components['schemas']['ErrorCode'];
type Problem = components['schemas']['Problem'];

/**
 * unreachable: no answer came; away: the service is starting, restarting or busy: ask again after `retryAfter` seconds;
 * refused: it answered, and the request itself has to change.
 */
export type Kind = 'unreachable' | 'away' | 'refused';

export class ApiError extends Error {
  constructor(
    readonly kind: Kind,
    readonly status: number,
    message: string,
    readonly retryAfter = 2,
    readonly fields: readonly FieldProblem[] = [],
  ) {
    super(message);
  }
}

export interface FieldProblem {
  /** As the request names it: `prompt`, `source_images`, … */
  readonly field: string;
  readonly message: string;
}

/** `body` is the parsed JSON, or text. Only problem documents are the service's own word. */
export function apiError(status: number, body: unknown, retryAfter: string | null): ApiError {
  const problem = isProblem(body) ? body : null;
  const detail = problem?.detail ?? `The service answered with status ${status}.`;
  if (status === 413) return new ApiError('refused', status, 'The photos are too large. Use fewer or smaller ones.');
  // While the app is not deployed, Ray's own proxy answers 404 in plain text.
  if (status === 502 || status === 503 || status === 504 || (status === 404 && !problem)) {
    return new ApiError('away', status, detail, Number(retryAfter) || 2);
  }
  return new ApiError('refused', status, detail, 0, (problem?.errors ?? []).map(fieldProblem));
}

export function unreachable(): ApiError {
  return new ApiError('unreachable', 0, 'The service cannot be reached.');
}

function fieldProblem({ loc, msg }: { loc: (string | number)[]; msg: string }): FieldProblem {
  const [, field] = loc;
  return { field: String(field ?? ''), message: msg };
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
  fetch_failed: {
    text: 'A picture couldn’t be loaded; its link may have expired. It is sent again when you retry.',
    action: 'retry',
  },
  upload_failed: { text: 'The result couldn’t be saved. A new place is used when you retry.', action: 'retry' },
  upload_url_expired: {
    text: 'The result came too late to be saved. A new place is used when you retry.',
    action: 'retry',
  },
  cancelled: { text: 'Cancelled.', action: 'retry' },
  deadline_exceeded: { text: 'This passed the time limit.', action: 'retry' },
  internal: { text: 'Something broke on our side.', action: 'retry' },
};
