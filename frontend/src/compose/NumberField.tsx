import { TextField } from '@mui/material';
import { useEffect, useState } from 'react';

interface Props {
  readonly label: string;
  readonly value: number;
  readonly step: number;
  readonly min: number;
  readonly max: number;
  readonly onChange: (value: number) => void;
}

/** Takes each number as it is typed; what is none yet waits in the field. */
export function NumberField({ label, value, step, min, max, onChange }: Props) {
  const [text, setText] = useState(String(value));
  useEffect(() => setText((shown) => (shown !== '' && Number(shown) === value ? shown : String(value))), [value]);
  const isValid = (typed: string) => typed !== '' && Number(typed) >= min && Number(typed) <= max;
  const type = (typed: string) => {
    setText(typed);
    if (isValid(typed)) onChange(Number(typed));
  };
  return (
    <TextField
      size="small"
      type="number"
      label={label}
      value={text}
      error={!isValid(text)}
      slotProps={{ htmlInput: { step, min, max } }}
      onChange={(event) => type(event.target.value)}
      onBlur={() => setText(String(value))}
    />
  );
}
