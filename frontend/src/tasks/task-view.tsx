/** A task, in whatever state it is: under way, without a picture, or with one. */

import { Button, CircularProgress, Skeleton, Slider, Step, StepLabel, Stepper } from '@mui/material';
import { useEffect, useRef, useState } from 'react';
import { FAILURES } from '../api/errors';
import { ActionButton, attempt } from '../attempt';
import { DownloadIcon } from '../icons';
import { mend } from '../mend';
import { useDifference } from '../overlay/use-exact';
import { pause } from '../pause';
import { Picture } from '../picture';
import { isInFlight, NAMES, phaseOf, standing, type TaskRecord, WORDS } from './record';
import { cancel, retry } from './run';

interface Props {
  readonly record: TaskRecord;
}

const DOWNLOAD_MS = 60_000;
const EXPIRED = 'The link has expired, and this browser kept no copy.';
const TWICE = 'The model may have made the picture before we lost contact. Another try may be charged a second time.';

export function TaskView({ record }: Props) {
  if (isInFlight(record)) return <Running record={record} />;
  return phaseOf(record) === 'done' ? <Result record={record} /> : <Failure record={record} />;
}

/** Its statuses so far, since when, and a way out. No percentage: nobody knows one. */
function Running({ record }: Props) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    box.current?.scrollIntoView({ block: 'nearest', behavior: 'smooth' });
  }, []);
  const passed = record.task?.timeline ?? [];
  return (
    <div ref={box} className="progress">
      <Stepper orientation="vertical" activeStep={passed.length - 1}>
        {passed.map(({ status }, index) => (
          <Step key={status}>
            <StepLabel icon={index === passed.length - 1 && <CircularProgress size={24} aria-hidden />}>
              {WORDS[status]}
            </StepLabel>
          </Step>
        ))}
      </Stepper>
      <div className="row">
        <span className="small muted">
          {record.taskId ? `Since ${timeOf(record.createdAt)}` : standing(record)}
          {record.waitingUntil && `, next try at ${timeOf(record.waitingUntil)}`}
        </span>
        <ActionButton size="small" variant="outlined" color="inherit" onClick={() => cancel(record)}>
          Cancel
        </ActionButton>
      </div>
    </div>
  );
}

/** Why there is no picture, in words that help, and what helps. */
function Failure({ record }: Props) {
  const phase = phaseOf(record);
  const error = phase === 'failed' ? record.task?.error : null;
  const { text, action } = FAILURES[error?.code ?? 'cancelled'] ?? FAILURES.internal;
  const fixes = action === 'edit' || action === 'replace';
  const tryAgain = async () => (action !== 'confirm' || confirm(TWICE)) && retry(record);
  return (
    <div className="note">
      <p className={phase === 'failed' || phase === 'refused' ? 'headline bad' : 'headline'}>
        {phase === 'expired' ? EXPIRED : (record.refusal?.message ?? text)}
      </p>
      {error && <p className="small muted">{error.message}</p>}
      <div className="row">
        {fixes && (
          <Button variant="contained" onClick={() => attempt(() => mend(record, action))}>
            {action === 'edit' ? 'Edit the prompt' : 'Replace the picture'}
          </Button>
        )}
        <ActionButton variant={fixes ? 'outlined' : 'contained'} onClick={tryAgain}>
          Try again
        </ActionButton>
      </div>
    </div>
  );
}

/** What it has made, how, and the picture to take home. */
function Result({ record }: Props) {
  const { operation, body, picture, sources, task } = record;
  const differing = useDifference(sources?.preview, picture);
  const alt = `${NAMES[operation]}: ${body.prompt}`;
  return (
    <div className="made">
      {!picture && <Skeleton variant="rectangular" height="100%" />}
      {picture && sources && differing ? (
        <Compare before={sources.preview} after={picture} alt={alt} />
      ) : (
        <Picture of={picture} alt={alt} className={operation === 'avatar' ? 'checkered' : ''} />
      )}
      <div className="row">
        <p className="small muted grow" data-differing={differing}>
          {differing === 0 && 'Exactly the preview. '}
          {differing !== null && differing > 0 && `The service changed ${differing} pixels after placing. `}
          {task?.notes.join(' ')}
        </p>
        <Button
          variant="contained"
          startIcon={<DownloadIcon />}
          disabled={!picture}
          onClick={() => picture && save(picture, `${operation}.png`)}>
          Download
        </Button>
      </div>
    </div>
  );
}

/** Two pictures of one size, one over the other, with a line between them to move. */
function Compare({ before, after, alt }: { readonly before: Blob; readonly after: Blob; readonly alt: string }) {
  const [at, setAt] = useState(50);
  return (
    <div>
      <div className="compare">
        <Picture of={after} alt={alt} />
        <Picture of={before} style={{ clipPath: `inset(0 ${100 - at}% 0 0)` }} />
        <span style={{ left: `${at}%` }} />
      </div>
      <div className="row small muted">
        Before
        <Slider
          size="small"
          aria-label="Before and after"
          value={at}
          onChange={(_, to) => setAt(to)}
          className="grow"
        />
        After
      </div>
    </div>
  );
}

function save(picture: Blob, name: string): void {
  const href = URL.createObjectURL(picture);
  Object.assign(document.createElement('a'), { href, download: name }).click();
  // Some browsers read it only some time after the click.
  void pause(DOWNLOAD_MS).then(() => URL.revokeObjectURL(href));
}

function timeOf(moment: number): string {
  return new Date(moment).toLocaleTimeString();
}
