import { Button, Skeleton } from '@mui/material';
import { useEffect, useRef } from 'react';
import { DownloadIcon, ImageIcon } from '../icons';
import { goTo, type Tab } from '../route';
import { useObjectUrl } from '../useObjectUrl';
import { Failure } from './Failure';
import { Progress } from './Progress';
import { endedAt, isInFlight, NAMES, phaseOf, type TaskRecord } from './record';
import { duration } from './useTasks';

interface Props {
  readonly record: TaskRecord | undefined;
  readonly empty: string;
  readonly replaceId: string;
  readonly next: { readonly tab: Tab; readonly label: string };
}

/** The newest task of a screen, in whatever state it is. */
export function TaskStage({ record, empty, replaceId, next }: Props) {
  const url = useObjectUrl(record?.picture);
  const done = record && phaseOf(record) === 'done';
  const box = useRef<HTMLDivElement>(null);
  const running = record !== undefined && isInFlight(record);
  useEffect(() => {
    if (running) box.current?.scrollIntoView({ block: 'nearest', behavior: 'smooth' });
  }, [running]);
  const content = () => {
    if (!record) return <Empty text={empty} />;
    if (running) return <Progress record={record} />;
    if (!done) return <Failure record={record} replaceId={replaceId} />;
    if (!url) return <Skeleton variant="rectangular" width="100%" height="100%" />;
    return <img src={url} alt={`${NAMES[record.operation]}: ${record.body.prompt}`} />;
  };
  return (
    <>
      <div ref={box} className={done && record.operation === 'avatar' ? 'card frame checkered' : 'card frame'}>
        {content()}
      </div>
      <div className="row actions">
        {done && (
          <>
            <Facts record={record} />
            <DownloadButton record={record} />
            <Button variant="contained" onClick={() => goTo(next.tab)}>
              {next.label}
            </Button>
          </>
        )}
      </div>
    </>
  );
}

function Empty({ text }: { readonly text: string }) {
  return (
    <div className="note muted">
      <ImageIcon fontSize="large" />
      <p>{text}</p>
    </div>
  );
}

/** What made it, and how long that took. */
export function Facts({ record }: { readonly record: TaskRecord }) {
  const { task } = record;
  const [ended, [first]] = [endedAt(record), task?.timeline ?? []];
  const took = ended && first ? `Made in ${duration(ended - Date.parse(first.at))}.` : '';
  const facts = [took, ...(task?.notes ?? [])];
  return <p className="small muted grow">{facts.join(' ')}</p>;
}

export function DownloadButton({ record }: { readonly record: TaskRecord }) {
  const url = useObjectUrl(record.picture);
  return (
    <Button
      variant="outlined"
      startIcon={<DownloadIcon />}
      disabled={!url}
      onClick={() => url && save(url, `${record.operation}.png`)}>
      Download
    </Button>
  );
}

function save(url: string, name: string): void {
  Object.assign(document.createElement('a'), { href: url, download: name }).click();
}
