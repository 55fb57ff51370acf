/** The service's list of tasks: what other browsers, and programs, with the same API key have asked for. */

import { useEffect, useMemo, useState } from 'react';
import { getTasks, type Status, type TaskPage, type TaskQuery, useConnection } from '../api/client';
import { useSettings } from '../settings';
import { type Filter, type OtherTask, otherTask, refreshed } from './item';

const PAGE = 50;
const REFRESH_MS = 5000;

const STATUSES: Readonly<Record<Filter['state'], readonly Status[]>> = {
  all: [],
  running: [
    'pending',
    'processing_avatar_model',
    'processing_background_removal',
    'processing_overlay',
    'uploading_image',
  ],
  done: ['done'],
  failed: ['error'],
};

interface Loaded {
  /** What it answers. */
  readonly query: TaskQuery | null;
  readonly tasks: readonly OtherTask[];
  readonly next: string | null;
}

const NOTHING: Loaded = { query: null, tasks: [], next: null };

/** Those that have been loaded, and how to load older ones; kept up to date while the page can be seen. */
export function useOthers({ kind, state }: Filter) {
  const settings = useSettings();
  const [loaded, setLoaded] = useState(NOTHING);
  const query = useMemo(() => queryOf({ kind, state }), [kind, state]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: another service, or another key, has other tasks
  useEffect(() => () => setLoaded(NOTHING), [settings]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: as above
  useEffect(() => {
    let left = false;
    const refresh = async () => {
      if (document.visibilityState !== 'visible' || !useConnection.getState().online) return;
      const page = await getTasks(query);
      if (!left) setLoaded((before) => putOver(before, query, page));
    };
    // What goes wrong, the page's head says; an older service knows no such list.
    const quietly = () => void refresh().catch(() => undefined);
    quietly();
    const timer = setInterval(quietly, REFRESH_MS);
    document.addEventListener('visibilitychange', quietly);
    return () => {
      left = true;
      clearInterval(timer);
      document.removeEventListener('visibilitychange', quietly);
    };
  }, [query, settings]);

  const { next } = loaded;
  const more = async () => {
    if (!next) return;
    const page = await getTasks({ ...query, cursor: next });
    const older = page.tasks.map(otherTask);
    setLoaded((now) => (now.next === next ? { query, tasks: [...now.tasks, ...older], next: page.next } : now));
  };
  return { others: loaded.tasks, more: next && loaded.query === query ? more : null };
}

function queryOf({ kind, state }: Filter): TaskQuery {
  return { limit: PAGE, status: STATUSES[state], operation: kind === 'all' ? [] : [kind] };
}

/** The answer to another query than before takes the place of all that was loaded; until then, that stays. */
function putOver(before: Loaded, query: TaskQuery, { tasks: page, next }: TaskPage): Loaded {
  const isAnother = before.query !== query;
  const tasks = refreshed(before.tasks, page, isAnother || next === null);
  const isLonger = tasks.length > page.length;
  const isSame = tasks.length === before.tasks.length && tasks.every((task, index) => task === before.tasks[index]);
  if (!isAnother && isSame) return before;
  return { query, tasks, next: isLonger ? before.next : next };
}
