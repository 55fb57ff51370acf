import { type KeyboardEvent, type PointerEvent, useEffect, useEffectEvent, useLayoutEffect, useRef } from 'react';
import { footprint, type Placement, scaledAbout, scaledInPlace, snapped } from './geometry';
import { coverBox, type Size } from './pillow';

interface Props {
  readonly person: ImageBitmap;
  readonly background: ImageBitmap;
  readonly canvas: Size;
  readonly place: Placement;
  /** The exact pixels of `place`, where they are there already; else they are drawn approximately. */
  readonly exact: ImageData | null;
  readonly snap: boolean;
  /** While a gesture lasts. */
  readonly onMove: (place: Placement | null) => void;
  /** At its end. */
  readonly onPlace: (place: Placement) => void;
}

interface Gesture {
  /** As it was when the gesture, or its present number of fingers, began. */
  readonly from: Placement;
  /** Where it has got to. */
  to: Placement;
  readonly kind: 'move' | 'scale';
  readonly fingers: Map<number, Point>;
  /** Where the fingers were then. */
  readonly start: readonly Point[];
  /** The corner that stays where it is. */
  readonly anchor: Point;
}

interface Point {
  readonly x: number;
  readonly y: number;
}

const SNAP_REACH = 8; // in pixels of the screen

/** The canvas, and on it the person to drag, scale and nudge. */
export function Stage({ person, background, canvas, place, exact, snap, onMove, onPlace }: Props) {
  const stage = useRef<HTMLDivElement>(null);
  const screen = useRef<HTMLCanvasElement>(null);
  const gesture = useRef<Gesture | null>(null);
  const frame = useRef<HTMLDivElement>(null);
  const size = footprint(person, place.scale);

  useLayoutEffect(() => {
    const context = screen.current?.getContext('2d');
    if (!context) return;
    if (exact) context.putImageData(exact, 0, 0);
    else drawRoughly(context, person, background, canvas, place);
  }, [person, background, canvas, place, exact]);

  /** In pixels of the output. */
  const pointOf = ({ clientX, clientY }: { clientX: number; clientY: number }): Point => {
    const box = (stage.current as HTMLDivElement).getBoundingClientRect();
    const zoom = canvas.width / box.width;
    return { x: (clientX - box.left) * zoom, y: (clientY - box.top) * zoom };
  };

  const begin = (event: PointerEvent<HTMLElement>) => {
    if (event.button !== 0) return;
    event.preventDefault();
    frame.current?.focus({ preventScroll: true });
    stage.current?.setPointerCapture(event.pointerId);
    const corner = (event.target as HTMLElement).dataset.corner;
    const fingers = gesture.current?.fingers ?? new Map<number, Point>();
    fingers.set(event.pointerId, pointOf(event));
    const anchor = {
      x: corner?.includes('w') ? place.x + size.width : place.x,
      y: corner?.includes('n') ? place.y + size.height : place.y,
    };
    const from = gesture.current?.to ?? place;
    gesture.current = {
      from,
      to: from,
      kind: corner ? 'scale' : 'move',
      fingers,
      start: [...fingers.values()],
      anchor,
    };
  };

  const go = (event: PointerEvent<HTMLElement>) => {
    const now = gesture.current;
    if (!now?.fingers.has(event.pointerId)) return;
    now.fingers.set(event.pointerId, pointOf(event));
    const next = after(now, [...now.fingers.values()]);
    const reach =
      snap && !event.altKey && now.kind === 'move'
        ? (SNAP_REACH * canvas.width) / (stage.current?.clientWidth ?? 1)
        : 0;
    now.to = snapped(next, person, canvas, reach);
    onMove(now.to);
  };

  const end = (event: PointerEvent<HTMLElement>) => {
    const now = gesture.current;
    if (!now?.fingers.delete(event.pointerId)) return;
    gesture.current = now.fingers.size > 0 ? { ...now, from: now.to, start: [...now.fingers.values()] } : null;
    if (!gesture.current) onPlace(now.to);
  };

  const abort = () => {
    gesture.current = null;
    onMove(null);
  };

  const onKeyDown = (event: KeyboardEvent) => {
    const step = event.shiftKey ? 10 : 1;
    const next = nudged(place, event.key, step, person);
    if (event.key === 'Escape') abort();
    if (!next || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    onPlace(next);
  };

  // React listens passively, which cannot keep the browser from zooming the page.
  const onWheel = useEffectEvent((event: WheelEvent) => {
    if (!event.ctrlKey && document.activeElement !== frame.current) return;
    event.preventDefault();
    const { x, y } = pointOf(event);
    onPlace(scaledAbout(place, place.scale * Math.exp(-event.deltaY / 500), x, y));
  });
  useEffect(() => {
    const element = stage.current;
    element?.addEventListener('wheel', onWheel, { passive: false });
    return () => element?.removeEventListener('wheel', onWheel);
  }, []);

  const ratio = canvas.width / canvas.height;
  return (
    <div
      ref={stage}
      className="canvas"
      style={{ aspectRatio: ratio, maxWidth: `calc(64vh * ${ratio})` }}
      onPointerDown={begin}
      onPointerMove={go}
      onPointerUp={end}
      onPointerCancel={abort}>
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
          {['nw', 'ne', 'sw', 'se'].map((corner) => (
            <div key={corner} className={`handle ${corner}`} data-corner={corner} />
          ))}
        </div>
      </div>
    </div>
  );
}

/** Where a gesture has brought the person by now. */
function after({ from, kind, start, anchor }: Gesture, fingers: readonly Point[]): Placement {
  const [first, second] = fingers as [Point, Point?];
  const [firstStart, secondStart] = start as [Point, Point?];
  if (second && secondStart) {
    const [middle, was] = [between(first, second), between(firstStart, secondStart)];
    const pinched = scaledAbout(
      from,
      from.scale * (distance(first, second) / distance(firstStart, secondStart)),
      was.x,
      was.y,
    );
    return { ...pinched, x: Math.round(pinched.x + middle.x - was.x), y: Math.round(pinched.y + middle.y - was.y) };
  }
  if (kind === 'scale') {
    return scaledAbout(from, from.scale * (distance(first, anchor) / distance(firstStart, anchor)), anchor.x, anchor.y);
  }
  return { ...from, x: Math.round(from.x + first.x - firstStart.x), y: Math.round(from.y + first.y - firstStart.y) };
}

/** How far the arrow keys move. */
const ARROWS: Readonly<Record<string, readonly [x: number, y: number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

function nudged(place: Placement, key: string, step: number, person: Size): Placement | null {
  const [x, y] = ARROWS[key] ?? [0, 0];
  if (x || y) return { ...place, x: place.x + x * step, y: place.y + y * step };
  if (key === '+' || key === '=') return scaledInPlace(place, place.scale * 1.01, person);
  return key === '-' ? scaledInPlace(place, place.scale / 1.01, person) : null;
}

function drawRoughly(
  context: CanvasRenderingContext2D,
  person: ImageBitmap,
  background: ImageBitmap,
  canvas: Size,
  place: Placement,
) {
  const { left, top, right, bottom } = coverBox(background, canvas);
  const { width, height } = footprint(person, place.scale);
  context.imageSmoothingQuality = 'high';
  context.fillStyle = '#fff';
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(background, left, top, right - left, bottom - top, 0, 0, canvas.width, canvas.height);
  context.drawImage(person, Math.floor(place.x + 0.5), Math.floor(place.y + 0.5), width, height);
}

function between(one: Point, other: Point): Point {
  return { x: (one.x + other.x) / 2, y: (one.y + other.y) / 2 };
}

/** Never 0: it is divided by. */
function distance(one: Point, other: Point): number {
  return Math.max(1, Math.hypot(one.x - other.x, one.y - other.y));
}
