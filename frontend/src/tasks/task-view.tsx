/** A task, in whatever state it is: under way, without a picture, or with one. */

import { Button, type ButtonProps, CircularProgress, Skeleton, Slider, Step, StepLabel, Stepper } from '@mui/material';
import { useEffect, useRef, useState } from 'react';
import { FAILURES } from '../api/errors';
import { ActionButton, attempt } from '../attempt';
import { DownloadIcon } from '../icons';
import { mend } from '../mend';
import { useDifference } from '../overlay/use-exact';
import { Picture } from '../picture';
import { CredentialsMark } from '../provenance/credentials-mark';
import { save } from '../save';
import { isInFlight, NAMES, phaseOf, standing, type TaskRecord, WORDS } from './record';
import { cancel, retry } from './run';

interface Props {
  readonly record: TaskRecord;
}

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
        <ActionButton
          size="small"
          variant="outlined"
          color="inherit"
          disabled={record.cancelled ?? false}
          onClick={() => cancel(record)}>
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
  return (
    <div className="note">
      <p className={phase === 'failed' || phase === 'refused' ? 'headline bad' : 'headline'}>
        {phase === 'expired' ? EXPIRED : (record.refusal?.message ?? remedyOf(record).text)}
      </p>
      {error && <p className="small muted">{error.message}</p>}
      <div className="row">
        <FailureAction record={record} variant="contained" />
        {remedyOf(record).mends && <TryAgain record={record} variant="outlined" />}
      </div>
    </div>
  );
}

/** What helps most. */
export function FailureAction({ record, ...props }: Props & ButtonProps) {
  const { mends } = remedyOf(record);
  if (!mends) return <TryAgain record={record} {...props} />;
  return (
    <Button {...props} onClick={() => attempt(() => mend(record, mends))}>
      {mends === 'edit' ? 'Edit the prompt' : 'Replace the picture'}
    </Button>
  );
}

function TryAgain({ record, ...props }: Props & ButtonProps) {
  const tryAgain = async () => (remedyOf(record).action !== 'confirm' || confirm(TWICE)) && retry(record);
  return (
    <ActionButton {...props} onClick={tryAgain}>
      Try again
    </ActionButton>
  );
}

function remedyOf(record: TaskRecord) {
  const code = phaseOf(record) === 'failed' ? record.task?.error?.code : undefined;
  const { text, action } = FAILURES[code ?? 'cancelled'] ?? FAILURES.internal;
  return { text, action, mends: action === 'edit' || action === 'replace' ? action : null };
}

/** What it has made, how, and the picture to take home. */
function Result({ record }: Props) {
  const { operation, picture, sources, task } = record;
  const differing = useDifference(sources?.preview, picture);
  return (
    <div className="made">
      <ResultPicture record={record} differing={differing} />
      <div className="row">
        <p className="small muted grow" data-differing={differing}>
          {[changeIn(differing), ...(task?.notes ?? [])].join(' ')}
        </p>
        {picture && <CredentialsMark of={async () => picture} name={NAMES[operation]} />}
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

/** With what the page showed before, where the service has changed it: in so many pixels, if that is known. */
export function ResultPicture({ record, differing }: Props & { readonly differing: number | null }) {
  const { operation, body, picture, sources } = record;
  const alt = `${NAMES[operation]}: ${body.prompt}`;
  if (!picture) return <Skeleton variant="rectangular" height="100%" />;
  if (sources && differing) return <Compare before={sources.preview} after={picture} alt={alt} />;
  return <Picture of={picture} alt={alt} className={operation === 'avatar' ? 'checkered' : ''} />;
}

export function changeIn(differing: number | null): string {
  if (differing === null) return '';
  return differing === 0 ? 'Exactly the preview.' : `The service changed ${differing} pixels after placing.`;
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

function timeOf(moment: number): string {
  return new Date(moment).toLocaleTimeString();
}
