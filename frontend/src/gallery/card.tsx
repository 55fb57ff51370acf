import { memo, useState } from 'react';
import { FAILURES } from '../api/errors';
import { ActionButton, attempt } from '../attempt';
import { ComposeIcon, DownloadIcon, ImageIcon, RepeatIcon } from '../icons';
import { again } from '../mend';
import { Picture } from '../picture';
import { CredentialsMark } from '../provenance/credentials-mark';
import { isInFlight, NAMES, phaseOf, standing } from '../tasks/record';
import { FailureAction } from '../tasks/task-view';
import { cancelItem, downloadOne, pictureOf, toCompose } from './actions';
import { type Item, isOwn, titleOf } from './item';
import { useThumbnail } from './thumbnail';

interface Props {
  readonly item: Item;
  readonly onOpen: (item: Item) => void;
}

/** One task, as large as any other: what it made, or where it stands. All else is in its details. */
export const Card = memo(function Card({ item, onOpen }: Props) {
  const isDone = phaseOf(item) === 'done';
  return (
    <li className="card item">
      <button
        type="button"
        className="frame"
        aria-label={isDone ? titleOf(item) : undefined}
        onClick={() => onOpen(item)}>
        {isDone ? <Small item={item} /> : <Standing item={item} />}
      </button>
      {isDone && <CredentialsMark of={() => pictureOf(item)} name={titleOf(item)} className="on-picture" />}
      <div className="caption">
        <p className={isOwn(item) ? 'line' : 'line muted'} title={isOwn(item) ? item.body.prompt : undefined}>
          {isOwn(item) ? item.body.prompt : 'From elsewhere'}
        </p>
        <p className="small muted line">
          {NAMES[item.operation]}, {shortTime(item.createdAt)}
        </p>
      </div>
      <Actions item={item} isDone={isDone} />
    </li>
  );
});

/** Its name is the button's, so that it is there before the picture. */
function Small({ item }: { readonly item: Item }) {
  const [ref, small] = useThumbnail(item.picture);
  const [broken, setBroken] = useState<string>();
  const look = item.operation === 'avatar' ? 'thumbnail checkered' : 'thumbnail';
  const link = item.picture ? null : item.task?.readUrl;
  const url = link === broken ? null : link;
  return (
    <span ref={ref} className={look}>
      {small && <Picture of={small} decoding="async" />}
      {url && <img src={url} alt="" loading="lazy" decoding="async" onError={() => setBroken(url)} />}
      {!item.picture && !url && <ImageIcon fontSize="large" />}
    </span>
  );
}

function Standing({ item }: { readonly item: Item }) {
  const phase = phaseOf(item);
  const code = item.task?.error?.code;
  const failed = phase === 'failed' || phase === 'refused';
  const words = item.refusal?.message ?? (code && failed ? (FAILURES[code] ?? FAILURES.internal).text : null);
  return (
    <span className="standing">
      <span className={`dot ${isInFlight(item) ? 'running' : phase}`} aria-hidden />
      <span className={failed ? 'bad' : 'muted'}>{standing(item)}</span>
      {words && <span className="small muted">{words}</span>}
    </span>
  );
}

function Actions({ item, isDone }: { readonly item: Item; readonly isDone: boolean }) {
  const name = titleOf(item);
  if (isInFlight(item)) {
    return (
      <div className="actions">
        <ActionButton size="small" color="inherit" disabled={item.cancelled ?? false} onClick={() => cancelItem(item)}>
          Cancel
        </ActionButton>
      </div>
    );
  }
  return (
    <div className="actions">
      {isDone && (
        <>
          <Icon label="Use in Compose" of={name} onClick={() => toCompose(item)} icon={<ComposeIcon />} />
          {isOwn(item) && <Icon label="Again like this" of={name} onClick={() => again(item)} icon={<RepeatIcon />} />}
          <Icon label="Download" of={name} onClick={() => downloadOne(item)} icon={<DownloadIcon />} />
        </>
      )}
      {!isDone && isOwn(item) && <FailureAction record={item} size="small" />}
    </div>
  );
}

interface IconProps {
  readonly label: string;
  readonly of: string;
  readonly icon: React.ReactNode;
  readonly onClick: () => Promise<unknown>;
}

/** Plain, for there may be hundreds. */
function Icon({ label, of, icon, onClick }: IconProps) {
  return (
    <button
      type="button"
      className="icon"
      title={label}
      aria-label={`${label}: ${of}`}
      onClick={() => attempt(onClick)}>
      {icon}
    </button>
  );
}

function shortTime(moment: number): string {
  const isToday = new Date(moment).toDateString() === new Date().toDateString();
  return new Date(moment).toLocaleString([], isToday ? { timeStyle: 'short' } : { dateStyle: 'medium' });
}
