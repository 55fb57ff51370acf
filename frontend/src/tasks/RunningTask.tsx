import { Button } from '@mui/material';
import { useAction } from '../form/useAction';
import { cancel } from './follow';
import { journeyOf, stageName, standing, type TaskRecord } from './record';
import { duration, useNow } from './useTasks';

/** A task under way: its stages, for how long already, and a way out. No percentage: nobody knows one. */
export function Progress({ record }: { readonly record: TaskRecord }) {
  const now = useNow();
  const { busy, error, run } = useAction(() => cancel(record));
  const passed = record.task?.timeline.map((moment) => moment.status) ?? [];
  const current = passed.at(-1);
  return (
    <div className="progress">
      <ol>
        {journeyOf(record).map((stage) => (
          <li
            key={stage}
            aria-current={stage === current ? 'step' : undefined}
            className={passed.includes(stage) && stage !== current ? 'passed' : undefined}>
            {stageName(stage)}
          </li>
        ))}
      </ol>
      <div className="row">
        <span className="small muted">
          {record.taskId ? duration(now - record.createdAt) : standing(record)}
          {record.waitingUntil && `, next try in ${duration(record.waitingUntil - now)}`}
        </span>
        <Button size="small" variant="outlined" color="inherit" loading={busy} onClick={() => run()}>
          Cancel
        </Button>
      </div>
      {error && (
        <p role="alert" className="small bad">
          It can’t be cancelled: {error}
        </p>
      )}
    </div>
  );
}
