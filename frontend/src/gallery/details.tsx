import { Dialog, DialogActions, DialogContent, DialogTitle, IconButton, useMediaQuery } from '@mui/material';
import { useState } from 'react';
import type { Task } from '../api/client';
import { ActionButton } from '../attempt';
import { Fact } from '../fact';
import { CloseIcon } from '../icons';
import { again } from '../mend';
import { useDifference } from '../overlay/use-exact';
import { Picture } from '../picture';
import { CredentialsOf } from '../provenance/credentials';
import { makerOf } from '../provenance/words';
import { CANVASES, RATIOS } from '../sizes';
import { isInFlight, NAMES, phaseOf, standing, type TaskRecord } from '../tasks/record';
import { changeIn, ResultPicture, TaskView } from '../tasks/task-view';
import { cancelItem, downloadOne, pictureOf, toCompose } from './actions';
import { type Item, isOwn, titleOf } from './item';

const SHAPES = { ...RATIOS, ...CANVASES };

interface Props {
  readonly item: Item;
  readonly onRemove: () => Promise<void>;
  readonly onClose: () => void;
}

/** All that is known of a task, and all that can be done with it. */
export function Details({ item, onRemove, onClose }: Props) {
  const isNarrow = useMediaQuery('(max-width: 600px)');
  const isDone = phaseOf(item) === 'done';
  return (
    <Dialog open fullWidth fullScreen={isNarrow} maxWidth="md" onClose={onClose} aria-labelledby="details">
      <DialogTitle id="details" className="dialog-title">
        {NAMES[item.operation]}
        <IconButton aria-label="Close" edge="end" onClick={onClose}>
          <CloseIcon />
        </IconButton>
      </DialogTitle>
      <DialogContent className="details">
        <div className="shown">{isDone ? <Made item={item} /> : <Unmade item={item} />}</div>
        <Known item={item} />
      </DialogContent>
      <DialogActions disableSpacing className="choices">
        <ActionButton color="error" disabled={isInFlight(item)} className="first" onClick={onRemove}>
          Remove
        </ActionButton>
        {isOwn(item) && <ActionButton onClick={() => again(item)}>Again like this</ActionButton>}
        {isDone && <ActionButton onClick={() => toCompose(item)}>Use in Compose</ActionButton>}
        {isDone && (
          <ActionButton variant="contained" onClick={() => downloadOne(item)}>
            Download
          </ActionButton>
        )}
      </DialogActions>
    </Dialog>
  );
}

function Made({ item }: { readonly item: Item }) {
  if (isOwn(item) && item.sources) return <Overlay record={item} />;
  const look = { alt: titleOf(item), className: item.operation === 'avatar' ? 'checkered' : '' };
  return item.picture ? <Picture of={item.picture} {...look} /> : <Linked url={item.task?.readUrl} {...look} />;
}

function Linked({ url, alt, className }: { readonly url: string | null | undefined; alt: string; className: string }) {
  return url && <img src={url} alt={alt} className={className} />;
}

function Overlay({ record }: { readonly record: TaskRecord }) {
  const differing = useDifference(record.sources?.preview, record.picture);
  return (
    <>
      <ResultPicture record={record} differing={differing} />
      <p className="small muted">{changeIn(differing)}</p>
    </>
  );
}

function Unmade({ item }: { readonly item: Item }) {
  if (isOwn(item)) return <TaskView record={item} />;
  return (
    <div className="note">
      <p className="headline">{standing(item)}</p>
      {item.task.error && <p className="small muted">{item.task.error.message}</p>}
      {isInFlight(item) && (
        <ActionButton variant="outlined" color="inherit" onClick={() => cancelItem(item)}>
          Cancel
        </ActionButton>
      )}
    </div>
  );
}

/** What it was asked with, how it was made, and what it says of itself. */
function Known({ item }: { readonly item: Item }) {
  // A browser remembers tasks of services that told less of them.
  const { made_by = [], cost = [], notes = [] }: Partial<Task> = item.task ?? {};
  return (
    <div className="known">
      <p className="prompt">{isOwn(item) ? item.body.prompt : 'Another browser, or a program, has asked for this.'}</p>
      <dl className="facts">
        <Fact label="Asked for" of={[new Date(item.createdAt).toLocaleString()]} />
        {isOwn(item) && item.body.aspect_ratio && <Fact label="Shape" of={[SHAPES[item.body.aspect_ratio].label]} />}
        <Fact label="Made by" of={made_by.map(makerOf)} />
        <Fact label="Cost" of={cost.map(costOf)} />
      </dl>
      {notes.length > 0 && (
        <details>
          <summary>Notes ({notes.length})</summary>
          <ul>
            {notes.map((note, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: they are only added to, and two may be alike
              <li key={index}>{note}</li>
            ))}
          </ul>
        </details>
      )}
      {phaseOf(item) === 'done' && <Credentials item={item} />}
    </div>
  );
}

/** Folded away, and read once they are asked for. */
function Credentials({ item }: { readonly item: Item }) {
  const [asked, setAsked] = useState(false);
  return (
    <details onToggle={() => setAsked(true)}>
      <summary>Content credentials</summary>
      {asked && <CredentialsOf of={() => pictureOf(item)} />}
    </details>
  );
}

function costOf({ model, units, amount }: Task['cost'][number]): string {
  const billed = units === null ? 'not said' : units === 1 ? '1 unit' : `${units} units`;
  return `${model}: ${[billed, amount].filter((part) => part !== null).join(', ')}`;
}
