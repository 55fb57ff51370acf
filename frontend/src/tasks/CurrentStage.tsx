import { useEffect } from 'react';
import type { Tab } from '../route';
import { isInFlight, NAMES, phaseOf, standing } from './record';
import { useTasks } from './useTasks';

/** Where the current task stands: the page's one live region, and its title. */
export function CurrentStage({ tab }: { readonly tab: Tab }) {
  const all = useTasks();
  const operation = tab === 'compose' ? 'overlay' : tab;
  const record = all.find((one) => one.operation === operation) ?? all[0];
  const running = all.filter(isInFlight).length;
  const text = record ? `${NAMES[record.operation]}: ${standing(record)}` : '';

  useEffect(() => {
    document.title = [running ? `(${running})` : '', text, 'AIGE Studio'].filter(Boolean).join(' · ');
  }, [running, text]);

  const kind = !record || phaseOf(record) === 'done' ? '' : isInFlight(record) ? 'running' : 'failed';
  return (
    <div role="status" data-status={record?.task?.status} className="status muted">
      {record && <span className={`dot ${kind}`} aria-hidden />}
      <span className="line">{text}</span>
    </div>
  );
}
