import { ButtonBase, IconButton, Skeleton } from '@mui/material';
import { useAction } from '../form/useAction';
import { CloseIcon } from '../icons';
import { goTo } from '../route';
import { useObjectUrl } from '../useObjectUrl';
import { cancel } from './follow';
import { isInFlight, NAMES, phaseOf, standing, type TaskRecord } from './record';
import { duration, useNow, useTasks } from './useTasks';

const SHOWN = 6;

/** The newest tasks of this browser: what, how far, how long ago. */
export function TaskRail() {
  const newest = useTasks().slice(0, SHOWN);
  if (newest.length === 0) return null;
  return (
    <aside className="rail" aria-label="Recent tasks">
      <h2>Recent</h2>
      <ul>
        {newest.map((record) => (
          <Item key={record.key} record={record} />
        ))}
      </ul>
    </aside>
  );
}

function Item({ record }: { readonly record: TaskRecord }) {
  const now = useNow();
  const url = useObjectUrl(record.picture);
  const { run } = useAction(() => cancel(record));
  const { operation, body } = record;
  const failed = ['failed', 'refused'].includes(phaseOf(record));
  return (
    <li>
      <ButtonBase className="item" onClick={() => goTo(operation === 'overlay' ? 'compose' : operation)}>
        {url ? (
          <img src={url} alt="" className="checkered" />
        ) : (
          <Skeleton variant="rectangular" className="blank" animation={isInFlight(record) && 'pulse'} />
        )}
        <span className="grow">
          <div className="line small">{body.prompt}</div>
          <div className={failed ? 'line small bad' : 'line small muted'}>
            {NAMES[operation]} · {standing(record)} · {duration(now - record.createdAt)}
          </div>
        </span>
      </ButtonBase>
      {isInFlight(record) && (
        <IconButton size="small" aria-label={`Stop “${body.prompt}”`} onClick={() => run()}>
          <CloseIcon fontSize="small" />
        </IconButton>
      )}
    </li>
  );
}
