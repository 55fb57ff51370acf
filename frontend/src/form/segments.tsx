import { useId } from 'react';

interface Props<Name extends string> {
  readonly label: string;
  readonly options: Readonly<Record<Name, string>>;
  readonly value: Name;
  readonly onChange: (value: Name) => void;
}

/** One of several, side by side: real radio buttons beneath. */
export function Segments<Name extends string>({ label, options, value, onChange }: Props<Name>) {
  const name = useId();
  return (
    <div role="radiogroup" aria-label={label} className="segments">
      {(Object.entries(options) as [Name, string][]).map(([option, text]) => (
        <label key={option} className="segment">
          <input
            type="radio"
            name={name}
            className="hidden"
            checked={option === value}
            onChange={() => onChange(option)}
          />
          {text}
        </label>
      ))}
    </div>
  );
}
