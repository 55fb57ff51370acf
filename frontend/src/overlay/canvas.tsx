import { useGesture } from '@use-gesture/react';
import { type KeyboardEvent, useLayoutEffect, useRef } from 'react';
import { Picture } from '../picture';
import { footprint, nudged, type Placement, scaledAbout, scaledFrom, snapped } from './geometry';
import type { Size } from './pillow';
import type { Placing } from './use-placement';

interface Props extends Pick<Placing, 'onMove' | 'onPlace'> {
  readonly pictures: { readonly person: Blob; readonly background: Blob };
  readonly person: Size;
  readonly canvas: Size;
  readonly place: Placement;
  /** The exact pixels of `place`, where they are there already; else the browser shows about the same. */
  readonly exact: ImageData | null;
  readonly snap: boolean;
}

const SNAP_REACH = 8; // in pixels of the screen
const WHEEL_REACH = 500; // pixels of scrolling that scale by e

/** The canvas, and on it the person to drag, scale and nudge. */
export function Canvas({ pictures, person, canvas, place, exact, snap, onMove, onPlace }: Props) {
  const area = useRef<HTMLDivElement>(null);
  const screen = useRef<HTMLCanvasElement>(null);
  const frame = useRef<HTMLDivElement>(null);
  const abort = useRef<() => void>(null);
  const size = footprint(person, place.scale);
  const ratio = canvas.width / canvas.height;

  useLayoutEffect(() => {
    if (exact) screen.current?.getContext('2d')?.putImageData(exact, 0, 0);
  }, [exact]);

  /** From pixels of the screen to those of the output. */
  const zoom = () => canvas.width / (area.current?.clientWidth ?? 1);
  const pointOf = ([x, y]: readonly [number, number]) => {
    const { left, top } = (area.current as HTMLDivElement).getBoundingClientRect();
    return { x: (x - left) * zoom(), y: (y - top) * zoom() };
  };

  // Each handler returns what it wants to know again as `memo`: where the person was when the gesture began.
  useGesture(
    {
      onDrag: ({ target, initial, xy, movement, altKey, pinching, canceled, cancel, last, memo: from = place }) => {
        if (pinching) return cancel();
        abort.current = cancel;
        frame.current?.focus({ preventScroll: true });
        const { corner } = (target as HTMLElement).dataset;
        const reach = snap && !altKey ? SNAP_REACH * zoom() : 0;
        const [right, down] = movement.map((pixels) => Math.round(pixels * zoom())) as [number, number];
        const to = corner
          ? scaledFrom(from, corner, pointOf(initial), pointOf(xy), person)
          : snapped({ ...from, x: from.x + right, y: from.y + down }, person, canvas, reach);
        // A click is no step to undo.
        if (canceled || (!right && !down)) onMove(null);
        else (last ? onPlace : onMove)(to);
        return from;
      },
      onPinch: ({ origin, movement: [factor], last, memo = { from: place, start: pointOf(origin) } }) => {
        const { from, start } = memo;
        const [now, scaled] = [pointOf(origin), scaledAbout(from, from.scale * factor, start)];
        const [right, down] = [Math.round(now.x - start.x), Math.round(now.y - start.y)];
        (last ? onPlace : onMove)({ ...scaled, x: scaled.x + right, y: scaled.y + down });
        return memo;
      },
      onWheel: ({ event, ctrlKey, movement: [, pixels], last, memo: from = place }) => {
        if (!ctrlKey && document.activeElement !== frame.current) return;
        event.preventDefault();
        const scale = from.scale * Math.exp(-pixels / WHEEL_REACH);
        (last ? onPlace : onMove)(scaledAbout(from, scale, pointOf([event.clientX, event.clientY])));
        return from;
      },
    },
    {
      target: area,
      eventOptions: { passive: false }, // else the browser zooms or scrolls the page
      drag: { preventDefault: true, pointer: { keys: false } },
      pinch: { pinchOnWheel: false },
    },
  );

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Escape') abort.current?.();
    const next = nudged(place, event.key, event.shiftKey ? 10 : 1, person);
    if (!next || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    onPlace(next);
  };

  return (
    <div ref={area} className="canvas" style={{ aspectRatio: ratio, maxWidth: `calc(64vh * ${ratio})` }}>
      <Picture of={pictures.background} />
      <canvas
        ref={screen}
        width={canvas.width}
        height={canvas.height}
        data-exact={exact !== null}
        role="img"
        aria-label="Preview"
      />
      <div className="clip">
        <div
          ref={frame}
          className="person"
          // biome-ignore lint/a11y/noNoninteractiveTabindex: keys move and scale it, as its label says
          tabIndex={0}
          role="application"
          aria-label="The person: arrow keys move, plus and minus scale"
          onKeyDown={onKeyDown}
          style={{
            left: `${(place.x / canvas.width) * 100}%`,
            top: `${(place.y / canvas.height) * 100}%`,
            width: `${(size.width / canvas.width) * 100}%`,
            height: `${(size.height / canvas.height) * 100}%`,
          }}>
          <Picture of={pictures.person} />
          {['nw', 'ne', 'sw', 'se'].map((corner) => (
            <div key={corner} className={`handle ${corner}`} data-corner={corner} />
          ))}
        </div>
      </div>
    </div>
  );
}
