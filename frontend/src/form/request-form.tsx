import { Chip, TextField } from '@mui/material';
import type { ReactNode } from 'react';
import type { Operation } from '../api/client';
import { ActionButton } from '../attempt';
import { Empty } from '../empty';
import type { Shape } from '../sizes';
import { useNewest } from '../tasks/store';
import { TaskView } from '../tasks/task-view';
import { Choice } from './choice';

interface Props<Name extends string> {
  readonly operation: Operation;
  readonly title: string;
  readonly lead: string;
  /** What this screen asks for besides. */
  readonly children?: ReactNode;
  readonly hint: string;
  readonly examples: readonly string[];
  readonly shapesLabel: string;
  readonly shapes: Readonly<Record<Name, Shape>>;
  readonly draft: { readonly prompt: string; readonly shape: Name };
  readonly onChange: (changes: { prompt?: string; shape?: Name }) => void;
  readonly action: string;
  /** Why it cannot be sent yet, the prompt aside. */
  readonly missing?: readonly string[];
  /** Resolves when the request has been written down; the rest happens without this form. */
  readonly onSubmit: () => Promise<void>;
  /** Where the parts are put together, if they are. */
  readonly canvas?: ReactNode;
  /** Said where nothing has been made yet. */
  readonly empty?: string;
}

/** A form beside what came of it last; one column below 900 px. */
export function RequestForm<Name extends string>({ operation, draft, onChange, missing = [], ...props }: Props<Name>) {
  const newest = useNewest(operation);
  const problem = newest?.refusal?.fields.prompt;
  const reasons = draft.prompt.trim() ? missing : [...missing, 'write a prompt'];
  return (
    <div className="workspace">
      <section className="settings" aria-label="What to make">
        <div>
          <h1>{props.title}</h1>
          <p className="muted">{props.lead}</p>
        </div>
        {props.children}
        <div>
          <TextField
            id="prompt"
            label="Prompt"
            multiline
            fullWidth
            minRows={3}
            maxRows={10}
            value={draft.prompt}
            onChange={(event) => onChange({ prompt: event.target.value })}
            error={problem !== undefined}
            helperText={problem ?? props.hint}
          />
          <div className="examples">
            {props.examples.map((prompt) => (
              <Chip key={prompt} label={prompt} size="small" variant="outlined" onClick={() => onChange({ prompt })} />
            ))}
          </div>
        </div>
        <Choice
          label={props.shapesLabel}
          options={optionsOf(props.shapes)}
          value={draft.shape}
          onChange={(shape) => onChange({ shape })}
        />
        <div className="submit">
          <ActionButton
            size="large"
            variant="contained"
            disabled={reasons.length > 0}
            aria-describedby="missing"
            onClick={props.onSubmit}>
            {props.action}
          </ActionButton>
          <p id="missing" className="small muted">
            {reasons.length > 0 && `First ${reasons.join(' and ')}.`}
          </p>
        </div>
      </section>
      <section className="result" aria-label="Result">
        {props.canvas}
        {(newest || props.empty) && (
          <div className={`card task ${operation}`}>
            {newest ? <TaskView record={newest} /> : <Empty text={props.empty ?? ''} />}
          </div>
        )}
      </section>
    </div>
  );
}

function optionsOf<Name extends string>(shapes: Readonly<Record<Name, Shape>>) {
  return Object.entries<Shape>(shapes).map(([value, { label, width, height }]) => {
    const detail = width > 100 ? `${width} × ${height}` : '';
    const drawn = { aspectRatio: width / height, width: Math.min(28, (24 * width) / height) };
    const look = (
      <>
        <span className="shape" style={drawn} />
        {label}
        <small>{detail}</small>
      </>
    );
    return { value: value as Name, name: `${label} ${detail}`, look };
  });
}
