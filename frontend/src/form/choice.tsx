import type { ReactNode } from 'react';

interface Props<T> {
  readonly label: string;
  /** `name` tells it from the others, where it is shown by a picture alone, too. */
  readonly options: readonly { readonly value: T; readonly name: string; readonly look: ReactNode }[];
  readonly value: T;
  readonly onChange: (value: T) => void;
  readonly className?: string;
  /** After the options. */
  readonly children?: ReactNode;
}

/** One of several, in tiles: real radio buttons beneath. */
export function Choice<T extends string>({ label, options, value, onChange, className = '', children }: Props<T>) {
  return (
    <div role="radiogroup" aria-label={label}>
      <h2>{label}</h2>
      <div className={`tiles ${className}`}>
        {options.map((option) => (
          <label key={option.value} className="tile" title={option.name}>
            <input
              type="radio"
              name={label}
              className="hidden"
              aria-label={option.name}
              checked={option.value === value}
              onChange={() => onChange(option.value)}
            />
            {option.look}
          </label>
        ))}
        {children}
      </div>
    </div>
  );
}
