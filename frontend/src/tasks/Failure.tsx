import { Button } from '@mui/material';
import { FAILURES } from '../api/errors';
import { useAction } from '../form/useAction';
import { failureOf, phaseOf, type TaskRecord } from './record';
import { retry } from './submit';

const EXPIRED = 'The link has expired, and this browser kept no copy.';
const TWICE = 'The model may have made the picture before we lost contact. Another try may be charged a second time.';

interface Props {
  readonly record: TaskRecord;
  /** The id of the input that another picture goes into. */
  readonly replaceId: string;
}

/** Why there is no picture, in words that help, and what helps. */
export function Failure({ record, replaceId }: Props) {
  const { busy, error, run } = useAction(() => retry(record));
  const phase = phaseOf(record);
  const failure = failureOf(record);
  const action = failure?.code ? FAILURES[failure.code].action : 'retry';
  const edits = action === 'edit' || action === 'replace';
  return (
    <div className="note">
      <p className={phase === 'cancelled' || phase === 'expired' ? 'headline' : 'headline bad'}>
        {phase === 'expired' ? EXPIRED : failure?.text}
      </p>
      {failure?.detail && phase !== 'cancelled' && <p className="small muted">{failure.detail}</p>}
      {error && (
        <p role="alert" className="small bad">
          {error}
        </p>
      )}
      <div className="row">
        {edits && (
          <Button
            variant="contained"
            onClick={() => document.getElementById(action === 'edit' ? 'prompt' : replaceId)?.focus()}>
            {action === 'edit' ? 'Edit the prompt' : 'Replace the picture'}
          </Button>
        )}
        <Button
          variant={edits ? 'outlined' : 'contained'}
          loading={busy}
          onClick={() => (action !== 'confirm' || confirm(TWICE)) && run()}>
          Try again
        </Button>
        {failure?.code === 'internal' && (
          <Button onClick={() => navigator.clipboard?.writeText(record.taskId ?? '')}>Copy task id</Button>
        )}
      </div>
    </div>
  );
}
