/** A task as this browser remembers it: what was asked for, and how far it has come. */

import type { Operation, Status, Submission, Task } from '../api/client';

/** What is asked for. Photos are kept as bytes, not as text: a browser need not hold bytes in memory. */
export type Order =
  | Exclude<Submission, { operation: 'avatar' }>
  | (Omit<Of<'avatar'>, 'body'> & {
      readonly body: Omit<Of<'avatar'>['body'], 'source_images'>;
      readonly photos: readonly Blob[];
    });
type Of<O extends Operation> = Extract<Submission, { operation: O }>;

export type TaskRecord = Order & {
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
  /** The service may have it, though no answer has said so. */
  readonly sent?: boolean;
  /** There once the service has accepted it. */
  readonly taskId?: string;
  /** By the person, before the task's id was known here: the service is told once it is. */
  readonly cancelled?: boolean;
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

export type Phase = (typeof IN_FLIGHT)[number] | 'done' | 'failed' | 'cancelled' | 'refused' | 'expired';

const IN_FLIGHT = ['sending', 'waiting', 'running', 'cancelling'] as const;

export function phaseOf({ refusal, lost, task, taskId, cancelled, waitingUntil }: TaskState): Phase {
  if (refusal) return 'refused';
  if (lost) return 'expired';
  if (task?.status === 'done') return 'done';
  if (task?.status === 'error') return task.error?.code === 'cancelled' ? 'cancelled' : 'failed';
  if (cancelled) return 'cancelling';
  if (taskId) return 'running';
  return waitingUntil ? 'waiting' : 'sending';
}

export function isInFlight(record: TaskState): boolean {
  return IN_FLIGHT.some((phase) => phase === phaseOf(record));
}

export const NAMES: Readonly<Record<Operation, string>> = {
  avatar: 'Avatar',
  background: 'Background',
  overlay: 'Picture',
};

export const WORDS: Readonly<Record<Exclude<Phase, 'running'> | Status, string>> = {
  sending: 'Sending',
  waiting: 'Waiting for the service',
  cancelling: 'Cancelling',
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
