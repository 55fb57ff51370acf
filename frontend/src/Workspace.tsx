import type { ReactNode } from 'react';

interface Props {
  readonly title: string;
  readonly lead: string;
  readonly form: ReactNode;
  readonly stage: ReactNode;
  /** In one column, above the form. */
  readonly stageFirst?: boolean;
}

/** A form beside what it makes; one column below 900 px. */
export function Workspace({ title, lead, form, stage, stageFirst = false }: Props) {
  return (
    <div className="workspace">
      <section className="settings" aria-label="What to make">
        <div>
          <h1>{title}</h1>
          <p className="muted">{lead}</p>
        </div>
        {form}
      </section>
      <section className={stageFirst ? 'result first' : 'result'} aria-label="Result">
        {stage}
      </section>
    </div>
  );
}
