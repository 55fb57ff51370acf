import { Skeleton } from '@mui/material';
import { useEffect, useState } from 'react';
import type { Overview, Status } from '../api/client';
import type { ApiError } from '../api/errors';
import { Segments } from '../form/segments';
import { NAMES } from '../tasks/record';
import { useOverview } from './use-overview';

const LINES = { opening: 'Connecting', open: 'Live', broken: 'Reconnecting' } as const;

/** In few letters, for a table on a phone; in the order in which tasks pass through them. */
const COLUMNS = {
  pending: 'Queue',
  processing_avatar_model: 'Model',
  processing_background_removal: 'Cut-out',
  processing_overlay: 'Placing',
  uploading_image: 'Saving',
} as const satisfies Partial<Record<Status, string>>;

const ENDS = { all: 'All', failed: 'Failed' } as const;

/** What the service does for all callers: for those whom `operators` names in its settings. */
export function OperatorPage() {
  const { line, overview, refusal } = useOverview();
  useEffect(() => scrollTo(0, 0), []); // a link leads here from the end of a page
  if (refusal) return <Refused of={refusal} />;
  return (
    <div className="operator">
      <div className="row">
        <h1 className="grow">Operator</h1>
        <span className="small muted row line-state">
          <span className={`dot ${line === 'open' ? 'done' : 'running'}`} aria-hidden /> {LINES[line]}
        </span>
      </div>
      {overview ? <Shown overview={overview} /> : <Skeleton variant="rounded" height={240} />}
    </div>
  );
}

function Refused({ of: { status, message } }: { readonly of: ApiError }) {
  return (
    <div className="note">
      <h1>For operators</h1>
      <p className="muted">
        This page shows the tasks of all callers. {status !== 403 && message}
        {status === 403 && (
          <>
            To open it, put your API key’s name under <code>operators</code> in <code>serve_config.yaml</code>, and
            restart the service.
          </>
        )}
      </p>
    </div>
  );
}

/** Whether it has failed; not if its caller took it back. */
function hasFailed({ error }: Overview['ended'][number]): boolean {
  return error !== null && error.code !== 'cancelled';
}

function Shown({ overview: { in_flight, ended, webhooks_waiting, billed } }: { readonly overview: Overview }) {
  const done = ended.filter(({ error }) => error === null);
  const running = in_flight.flatMap(({ statuses }) => Object.values(statuses)).reduce((sum, count) => sum + count, 0);
  return (
    <>
      <dl className="figures">
        <Figure label="In flight" value={running} />
        <Figure label={`Done, of the last ${ended.length}`} value={done.length} />
        <Figure label={`Failed, of the last ${ended.length}`} value={ended.filter(hasFailed).length} />
        <Figure label="Webhooks waiting" value={webhooks_waiting} />
        {billed.length > 0 && <Figure label="Billed in 24 hours" value={money(billed)} />}
      </dl>
      <section aria-labelledby="in-flight">
        <h2 id="in-flight">In flight</h2>
        {running === 0 ? <p className="muted">No task is running.</p> : <InFlight rows={in_flight} />}
      </section>
      {billed.length > 0 && <Billed rows={billed} />}
      <Ends ends={ended} />
    </>
  );
}

function Figure({ label, value }: { readonly label: string; readonly value: number | string }) {
  return (
    <div className="card figure">
      <dt className="small muted">{label}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function InFlight({ rows }: { readonly rows: Overview['in_flight'] }) {
  const statuses = Object.keys(COLUMNS) as (keyof typeof COLUMNS)[];
  return (
    <div className="card sheet counts">
      <table>
        <thead>
          <tr>
            <th scope="col">Caller</th>
            {statuses.map((status) => (
              <th key={status} scope="col" title={status}>
                {COLUMNS[status]}
              </th>
            ))}
            <th scope="col">All</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ caller, statuses: counts }) => (
            <tr key={caller}>
              <th scope="row" title={caller}>
                {caller}
              </th>
              {statuses.map((status) => (
                <td key={status}>{counts[status] || <span className="muted">–</span>}</td>
              ))}
              <td>{Object.values(counts).reduce((sum, count) => sum + count, 0)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Billed({ rows }: { readonly rows: Overview['billed'] }) {
  return (
    <section aria-labelledby="billed">
      <h2 id="billed">Billed for tasks that ended within 24 hours</h2>
      <div className="card sheet bills">
        <table>
          <thead>
            <tr>
              <th scope="col">Caller</th>
              <th scope="col">Model</th>
              <th scope="col">Amount</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={`${row.caller} ${row.model}`}>
                <th scope="row" title={row.caller}>
                  {row.caller}
                </th>
                <td>{row.model}</td>
                <td>{money([row])}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

/** In the one currency that the operator's prices are in. */
function money(rows: Overview['billed']): string {
  const sum = rows.reduce((total, { amount }) => total + amount, 0);
  return sum.toLocaleString([], { minimumFractionDigits: 2, maximumFractionDigits: sum < 1 ? 4 : 2 });
}

function Ends({ ends }: { readonly ends: Overview['ended'] }) {
  const [which, setWhich] = useState<keyof typeof ENDS>('all');
  const shown = which === 'all' ? ends : ends.filter(hasFailed);
  return (
    <section aria-labelledby="ends">
      <div className="row">
        <h2 id="ends" className="grow">
          The last ends
        </h2>
        <Segments label="Which ends" options={ENDS} value={which} onChange={setWhich} />
      </div>
      {shown.length === 0 && <p className="muted">{which === 'all' ? 'No task has ended yet.' : 'None has failed.'}</p>}
      {shown.length > 0 && (
        <ol className="card ends">
          {shown.map((end) => (
            <li key={end.aige_task_id}>
              <End of={end} look={!end.error ? 'done' : hasFailed(end) ? 'failed' : 'cancelled'} />
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}

interface EndProps {
  readonly of: Overview['ended'][number];
  readonly look: 'done' | 'failed' | 'cancelled';
}

/** One line, which opens: the reason in words, the engine, and the id, to look for in the logs. */
function End({ of: { aige_task_id, caller, operation, error, at, seconds, engine }, look }: EndProps) {
  return (
    <details>
      <summary>
        <span className="outcome">
          <span className={`dot ${look}`} aria-hidden />
          {error?.code ?? 'done'}
        </span>
        <span className="what">{NAMES[operation]}</span>
        <span className="who line" title={caller}>
          {caller}
        </span>
        <span className="took">{took(seconds)}</span>
        <time dateTime={at} className="muted">
          {moment(at)}
        </time>
      </summary>
      <p className="small">
        {error && <>{error.message} </>}
        <span className="muted">
          Engine {engine}, task <code>{aige_task_id}</code>
        </span>
      </p>
    </details>
  );
}

function took(seconds: number): string {
  return seconds < 100 ? `${seconds.toFixed(1)} s` : `${Math.round(seconds / 60)} min`;
}

/** To the second, since it may be looked for in the logs. */
function moment(at: string): string {
  const then = new Date(at);
  const isToday = then.toDateString() === new Date().toDateString();
  return then.toLocaleString([], { timeStyle: 'medium', ...(!isToday && { dateStyle: 'short' }) });
}
