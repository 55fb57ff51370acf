/** A task as this browser remembers it: what was asked for, and how far it has come. */

import type { Operation, Status, Submission, Task } from '../api/client';

export type TaskRecord = Submission & {
  /** The Idempotency-Key that it is sent with; names the record too. */
  readonly key: string;
  /** Of the result in the object store. */
  readonly objectKey: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** Of an overlay: what it was made of, to make it again, and what the page showed before. */
  readonly sources?: { readonly person: Blob; readonly background: Blob; readonly preview: Blob } | undefined;
} & TaskState;

/** What has become of it so far. */
export interface TaskState {
  /** There once the service has accepted it. */
  readonly taskId?: string;
  /** As last heard of. */
  readonly task?: Task;
  /** Why the service did not take it. */
  readonly refusal?: { readonly message: string; readonly fields: Readonly<Record<string, string>> };
  /** When it is sent again, in milliseconds since 1970, while the service is away. */
  readonly waitingUntil?: number | undefined;
  /** The result, kept here because its link expires. */
  readonly picture?: Blob;
  /** The service does not know it any more, or its picture. */
  readonly lost?: boolean;
}

export type Phase = 'sending' | 'waiting' | 'running' | 'done' | 'failed' | 'cancelled' | 'refused' | 'expired';

export function phaseOf({ refusal, lost, task, taskId, waitingUntil }: TaskState): Phase {
  if (refusal) return 'refused';
  if (lost) return 'expired';
  if (task?.status === 'done') return 'done';
  if (task?.status === 'error') return task.error?.code === 'cancelled' ? 'cancelled' : 'failed';
  if (taskId) return 'running';
  return waitingUntil ? 'waiting' : 'sending';
}

export function isInFlight(record: TaskState): boolean {
  return ['sending', 'waiting', 'running'].includes(phaseOf(record));
}

export const NAMES: Readonly<Record<Operation, string>> = {
  avatar: 'Avatar',
  background: 'Background',
  overlay: 'Picture',
};

export const WORDS: Readonly<Record<Exclude<Phase, 'running'> | Status, string>> = {
  sending: 'Sending',
  waiting: 'Waiting for the service',
  pending: 'Waiting in the queue',
  processing_avatar_model: 'Making the picture',
  processing_background_removal: 'Removing the background',
  processing_overlay: 'Placing the person',
  uploading_image: 'Saving the picture',
  done: 'Done',
  error: 'Error',
  failed: 'Error',
  cancelled: 'Cancelled',
  refused: 'Not accepted',
  expired: 'Expired',
};

/** Where it stands, in words. */
export function standing(record: TaskState): string {
  const phase = phaseOf(record);
  return WORDS[phase === 'running' ? (record.task?.status ?? 'pending') : phase];
}
