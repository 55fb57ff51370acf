import { Button } from '@mui/material';
import { type KeyboardEvent, useCallback, useRef, useState } from 'react';
import { ActionButton } from '../attempt';
import { Empty } from '../empty';
import { DownloadIcon } from '../icons';
import { useTasks } from '../tasks/store';
import { downloadAll, remove } from './actions';
import { Card } from './card';
import { Details } from './details';
import { Filters, useFilter } from './filters';
import { useHidden } from './hidden';
import { type Item, itemsOf, stateOf } from './item';
import { useOthers } from './others';

/** Everything that this browser has asked for, and what others have with the same key, whatever came of it. */
export function Gallery() {
  const records = useTasks();
  const filter = useFilter();
  const { others, more } = useOthers(filter);
  const { ids } = useHidden();
  const list = useRef<HTMLUListElement>(null);
  const [opened, setOpened] = useState<Item | null>(null);
  const open = useCallback((item: Item) => setOpened(item), []);
  const items = itemsOf(records, others, ids, filter);
  const done = items.filter((item) => stateOf(item) === 'done');
  // Not only of those that are shown: what is looked at may come to an end, and so no longer be like the filter.
  const item = opened && ([...records, ...others].find(({ key }) => key === opened.key) ?? opened);
  const removeItem = async (one: Item) => {
    const at = items.indexOf(one);
    setOpened(null);
    await remove(one);
    const frames = framesIn(list.current);
    frames[Math.min(at, frames.length - 1)]?.focus();
  };
  const isFiltered = filter.kind !== 'all' || filter.state !== 'all';
  return (
    <>
      <div className="row headline-row">
        <div className="grow">
          <h1>Gallery</h1>
          <p className="muted">
            What you make is kept in this browser. What others make with the same API key is here while the service
            knows it.
          </p>
        </div>
        <ActionButton
          variant="outlined"
          color="inherit"
          startIcon={<DownloadIcon />}
          disabled={done.length === 0}
          onClick={() => downloadAll(done)}>
          {`Download all (${done.length})`}
        </ActionButton>
      </div>
      <Filters />
      {items.length === 0 && !isFiltered && <Empty text="Nothing here yet." start="Make the first avatar" />}
      {items.length === 0 && isFiltered && (
        <div className="note">
          <p className="muted">Nothing like that.</p>
          <Button variant="outlined" onClick={() => useFilter.setState({ kind: 'all', state: 'all' })}>
            Show all
          </Button>
        </div>
      )}
      <ul ref={list} className="gallery" onKeyDown={step}>
        {items.map((one) => (
          <Card key={one.key} item={one} onOpen={open} />
        ))}
      </ul>
      {more && (
        <div className="note">
          <ActionButton variant="outlined" onClick={more}>
            Show older ones
          </ActionButton>
        </div>
      )}
      {item && <Details item={item} onRemove={() => removeItem(item)} onClose={() => setOpened(null)} />}
    </>
  );
}

/** From picture to picture by the arrow keys, Home and End. */
function step(event: KeyboardEvent<HTMLUListElement>): void {
  const frames = framesIn(event.currentTarget);
  const at = frames.indexOf(event.target as HTMLElement);
  const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: frames.length - 1 }[event.key];
  if (at < 0 || to === undefined) return;
  event.preventDefault();
  frames[to]?.focus();
}

function framesIn(list: HTMLElement | null): HTMLElement[] {
  return [...(list?.querySelectorAll<HTMLElement>('.frame') ?? [])];
}
