import type { ReactNode } from 'react';

interface Props {
  readonly label: string;
  readonly of: readonly ReactNode[];
}

/** An entry of a list of facts, one line each; nothing, where there are none. */
export function Fact({ label, of: lines }: Props) {
  if (lines.length === 0) return null;
  return (
    <>
      <dt>{label}</dt>
      {lines.map((line, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: they are only added to, and two may be alike
        <dd key={index}>{line}</dd>
      ))}
    </>
  );
}
