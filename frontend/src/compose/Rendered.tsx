import { useEffect, useRef } from 'react';
import { Failure } from '../tasks/Failure';
import { Progress } from '../tasks/Progress';
import { isInFlight, phaseOf, type TaskRecord } from '../tasks/record';
import { DownloadButton, Facts } from '../tasks/TaskStage';
import { useObjectUrl } from '../useObjectUrl';
import { Compare } from './Compare';
import { useDifference } from './useExact';

/** What became of the newest "Render". */
export function Rendered({ record }: { readonly record: TaskRecord }) {
  const box = useRef<HTMLElement>(null);
  const running = isInFlight(record);
  useEffect(() => {
    if (running) box.current?.scrollIntoView({ block: 'nearest', behavior: 'smooth' });
  }, [running]);
  const result =
    phaseOf(record) === 'done' ? <Result record={record} /> : <Failure record={record} replaceId="prompt" />;
  return (
    <section ref={box} className="card rendered" aria-label="Rendered picture">
      <h2>Rendered picture</h2>
      {running ? <Progress record={record} /> : result}
    </section>
  );
}

function Result({ record }: { readonly record: TaskRecord }) {
  const { picture, sources } = record;
  const url = useObjectUrl(picture);
  const differing = useDifference(sources?.preview ?? null, picture);
  const alt = `The rendered picture: ${record.body.prompt}`;
  const said = differing
    ? `The service changed ${differing} pixels after placing.`
    : 'It is the preview, pixel for pixel.';
  return (
    <>
      {picture && sources && differing ? (
        <Compare before={sources.preview} after={picture} alt={alt} />
      ) : (
        url && <img src={url} alt={alt} />
      )}
      <div className="row">
        <Facts record={record} />
        <DownloadButton record={record} />
      </div>
      {differing !== null && (
        <p className="small muted" data-differing={differing}>
          {said}
        </p>
      )}
    </>
  );
}
