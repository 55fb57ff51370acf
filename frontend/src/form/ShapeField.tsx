/** One of several shapes, each drawn: real radio buttons beneath. */

interface Props<T extends string> {
  readonly label: string;
  readonly shapes: readonly {
    readonly value: T;
    readonly label: string;
    readonly detail?: string;
    readonly ratio: number;
  }[];
  readonly value: T;
  readonly onChange: (value: T) => void;
}

export function ShapeField<T extends string>({ label, shapes, value, onChange }: Props<T>) {
  return (
    <div role="radiogroup" aria-label={label}>
      <h2>{label}</h2>
      <div className="tiles">
        {shapes.map((shape) => (
          <label key={shape.value} className="tile">
            <input
              type="radio"
              name={label}
              value={shape.value}
              className="hidden"
              checked={shape.value === value}
              onChange={() => onChange(shape.value)}
            />
            <span
              className="shape"
              style={{ aspectRatio: shape.ratio, width: Math.min(28, 24 * shape.ratio) }}
              aria-hidden
            />
            {shape.label}
            {shape.detail && <small>{shape.detail}</small>}
          </label>
        ))}
      </div>
    </div>
  );
}
