/** Views of the task store. */

import { useEffect, useState } from 'react';
import type { Operation } from '../api/client';
import { useObservable } from '../observable';
import { phaseOf, type TaskRecord } from './record';
import { tasks } from './store';

export function useTasks(): readonly TaskRecord[] {
  return useObservable(tasks);
}

export function useNewest(operation: Operation): TaskRecord | undefined {
  return useTasks().find((record) => record.operation === operation);
}

/** Those whose picture is here. */
export function usePictures(operation: Operation): readonly (TaskRecord & { picture: Blob })[] {
  return useTasks().filter(
    (record): record is TaskRecord & { picture: Blob } =>
      record.operation === operation && record.picture !== null && phaseOf(record) === 'done',
  );
}

/** What the service found wrong with a field of the last request. */
export function fieldProblem(record: TaskRecord | undefined, field: string): string | undefined {
  return record?.refusal?.fields.find((problem) => problem.field === field)?.message;
}

/** Milliseconds since 1970, each second anew. */
export function useNow(): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

/** "8 s", "3 min", "2 h", "4 d". */
export function duration(milliseconds: number): string {
  const seconds = Math.max(1, Math.round(milliseconds / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  return seconds < 86_400 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86_400)} d`;
}
