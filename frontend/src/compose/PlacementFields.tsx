import { Button, FormControlLabel, IconButton, Switch } from '@mui/material';
import { RedoIcon, UndoIcon } from '../icons';
import {
  centred,
  fitted,
  initialPlacement,
  isOffCanvas,
  MAX_SCALE,
  MIN_SCALE,
  type Placement,
  scaledInPlace,
  standing,
} from './geometry';
import { NumberField } from './NumberField';
import type { Size } from './pillow';

const FAR = 20_000; // pixels: further than anything can be seen from

interface Props {
  readonly place: Placement;
  readonly person: Size;
  readonly canvas: Size;
  readonly snap: boolean;
  readonly onPlace: (place: Placement) => void;
  readonly onSnap: (snap: boolean) => void;
  /** Null where there is nothing to undo. */
  readonly onUndo: (() => void) | null;
  readonly onRedo: (() => void) | null;
}

/** The placement in numbers, and the usual ones by button. */
export function PlacementFields({ place, person, canvas, snap, onPlace, onSnap, onUndo, onRedo }: Props) {
  const presets: Readonly<Record<string, Placement>> = {
    Fit: fitted(person, canvas),
    Centre: centred(place, person, canvas),
    'Stand on bottom': standing(place, person, canvas),
    '100 %': scaledInPlace(place, 1, person),
    Reset: initialPlacement(person, canvas),
  };
  const set = (axis: keyof Placement) => (value: number) => onPlace({ ...place, [axis]: value });
  return (
    <div className="placement">
      <div className="numbers">
        <NumberField label="X" value={place.x} step={1} min={-FAR} max={FAR} onChange={set('x')} />
        <NumberField label="Y" value={place.y} step={1} min={-FAR} max={FAR} onChange={set('y')} />
        <NumberField
          label="Scale"
          value={place.scale}
          step={0.01}
          min={MIN_SCALE}
          max={MAX_SCALE}
          onChange={set('scale')}
        />
      </div>
      <div className="row">
        <IconButton aria-label="Undo" disabled={!onUndo} onClick={() => onUndo?.()}>
          <UndoIcon />
        </IconButton>
        <IconButton aria-label="Redo" disabled={!onRedo} onClick={() => onRedo?.()}>
          <RedoIcon />
        </IconButton>
        {Object.entries(presets).map(([name, preset]) => (
          <Button key={name} size="small" color="inherit" onClick={() => onPlace(preset)}>
            {name}
          </Button>
        ))}
        <FormControlLabel
          className="snap"
          control={<Switch size="small" checked={snap} onChange={(event) => onSnap(event.target.checked)} />}
          label="Snap"
        />
      </div>
      {isOffCanvas(place, person, canvas) && (
        <Button variant="outlined" onClick={() => onPlace(initialPlacement(person, canvas))}>
          The person is off the canvas: bring back
        </Button>
      )}
    </div>
  );
}
