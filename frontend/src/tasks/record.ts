/** A task as this browser remembers it: what was asked for, and how far it has come. */

import type { Operation, Status, Submission, Task } from '../api/client';
import { type ErrorCode, FAILURES, type FieldProblem } from '../api/errors';

export type TaskRecord = Submission & {
  /** The Idempotency-Key that it is sent with; names the record too. */
  readonly key: string;
  /** Of the result in the object store. */
  readonly objectKey: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** Null until the service has accepted it. */
  readonly taskId: string | null;
  /** As last heard of. */
  readonly task: Task | null;
  /** Why the service did not take it. */
  readonly refusal: Refusal | null;
  /** When it is sent again, in milliseconds since 1970, while the service is away. */
  readonly waitingUntil: number | null;
  /** The service knows it no more. */
  readonly forgotten: boolean;
  /** The result, kept here because its link expires. */
  readonly picture: Blob | null;
  /** Done, but its picture can be had no more. */
  readonly expired: boolean;
  /** Of an overlay: what it was made of, to make it again, and what the page showed before. */
  readonly sources: { readonly person: Blob; readonly background: Blob; readonly preview: Blob } | null;
};

export interface Refusal {
  readonly status: number;
  readonly message: string;
  readonly fields: readonly FieldProblem[];
}

export type Phase = 'sending' | 'waiting' | 'running' | 'done' | 'failed' | 'cancelled' | 'refused' | 'expired';

export function phaseOf(record: TaskRecord): Phase {
  if (record.refusal) return 'refused';
  if (record.forgotten || (record.expired && !record.picture)) return 'expired';
  if (record.task?.status === 'done') return 'done';
  if (record.task?.status === 'error') return record.task.error?.code === 'cancelled' ? 'cancelled' : 'failed';
  if (record.taskId) return 'running';
  return record.waitingUntil ? 'waiting' : 'sending';
}

export function isInFlight(record: TaskRecord): boolean {
  return ['sending', 'waiting', 'running'].includes(phaseOf(record));
}

const STAGES: Readonly<Record<Status, string>> = {
  pending: 'Waiting in the queue',
  processing_avatar_model: 'Making the picture',
  processing_background_removal: 'Removing the background',
  processing_overlay: 'Placing the person',
  uploading_image: 'Saving the picture',
  done: 'Done',
  error: 'Error',
};

export const NAMES: Readonly<Record<Operation, string>> = {
  avatar: 'Avatar',
  background: 'Background',
  overlay: 'Picture',
};

const JOURNEY: readonly Status[] = [
  'pending',
  'processing_avatar_model',
  'processing_background_removal',
  'processing_overlay',
  'uploading_image',
];

const LEFT_OUT: Readonly<Record<Operation, readonly Status[]>> = {
  avatar: ['processing_overlay'],
  background: ['processing_background_removal', 'processing_overlay'],
  overlay: ['processing_avatar_model', 'processing_background_removal'],
};

/** The stages that it passes, as far as can be known beforehand, and those that it has passed. */
export function journeyOf({ operation, task }: TaskRecord): readonly Status[] {
  const seen = new Set(task?.timeline.map((moment) => moment.status));
  return JOURNEY.filter((stage) => seen.has(stage) || !LEFT_OUT[operation].includes(stage));
}

export function stageName(status: Status): string {
  return STAGES[status];
}

/** Where it stands, in words. */
export function standing(record: TaskRecord): string {
  switch (phaseOf(record)) {
    case 'sending':
      return 'Sending';
    case 'waiting':
      return 'Waiting for the service';
    case 'refused':
      return 'Not accepted';
    case 'expired':
      return 'Expired';
    case 'cancelled':
      return 'Cancelled';
    default:
      return stageName(record.task?.status ?? 'pending');
  }
}

/** What went wrong, for a person, or null. */
export function failureOf(record: TaskRecord): { code: ErrorCode | null; text: string; detail: string } | null {
  const { error } = record.task ?? {};
  if (record.refusal) return { code: null, text: record.refusal.message, detail: '' };
  if (!error) return null;
  return { code: error.code, text: FAILURES[error.code]?.text ?? FAILURES.internal.text, detail: error.message };
}

/** When it ended, or null. */
export function endedAt(record: TaskRecord): number | null {
  const { task } = record;
  const last = task?.status === 'done' || task?.status === 'error' ? task.timeline.at(-1) : null;
  return last ? Date.parse(last.at) : null;
}
