import { Button, FormControlLabel, Switch, TextField } from '@mui/material';
import { useState } from 'react';
import { useDraft } from '../drafts';
import { MAX_SCALE, MIN_SCALE, type Placement } from './geometry';
import type { Placing } from './use-placement';

/** Pixels: further than anything can be seen from. */
const FAR = { min: -20_000, max: 20_000, step: 1 };
const SCALES = { min: MIN_SCALE, max: MAX_SCALE, step: 0.01 };

/** The placement in numbers, its steps back and forth, and whether it snaps. */
export function PlacementFields({ place, onPlace, onUndo, onRedo, onReset }: Placing & { readonly place: Placement }) {
  const [{ snap }, change] = useDraft('overlay');
  const field = (axis: keyof Placement) => ({
    value: place[axis],
    onChange: (value: number) => onPlace({ ...place, [axis]: value }),
  });
  return (
    <div className="placement">
      <div className="numbers">
        <NumberField label="X" range={FAR} {...field('x')} />
        <NumberField label="Y" range={FAR} {...field('y')} />
        <NumberField label="Scale" range={SCALES} {...field('scale')} />
      </div>
      <div className="row">
        {Object.entries({ Undo: onUndo, Redo: onRedo, Reset: onReset }).map(([name, act]) => (
          <Button key={name} size="small" color="inherit" disabled={!act} onClick={act}>
            {name}
          </Button>
        ))}
        <FormControlLabel
          className="snap"
          control={<Switch size="small" checked={snap} onChange={(event) => change({ snap: event.target.checked })} />}
          label="Snap"
        />
      </div>
    </div>
  );
}

interface Props {
  readonly label: string;
  readonly value: number;
  readonly range: typeof FAR;
  readonly onChange: (value: number) => void;
}

/** Takes each number as it is typed; what is none yet waits in the field. */
function NumberField({ label, value, range, onChange }: Props) {
  const [typed, setTyped] = useState<string | null>(null);
  const isValid = (text: string) => text !== '' && Number(text) >= range.min && Number(text) <= range.max;
  // A number that is not the value any more has been overtaken, by Undo for one.
  const shown = typed !== null && (!isValid(typed) || Number(typed) === value) ? typed : String(value);
  const type = (text: string) => {
    setTyped(text);
    if (isValid(text)) onChange(Number(text));
  };
  return (
    <TextField
      size="small"
      type="number"
      label={label}
      value={shown}
      error={!isValid(shown)}
      slotProps={{ htmlInput: range }}
      onChange={(event) => type(event.target.value)}
      onBlur={() => setTyped(null)}
    />
  );
}
