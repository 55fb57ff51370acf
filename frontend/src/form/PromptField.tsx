import { Chip, TextField } from '@mui/material';

const MAX_CODE_POINTS = 4000;

interface Props {
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly hint: string;
  readonly examples: readonly string[];
  readonly error?: string | undefined;
}

export function PromptField({ value, onChange, hint, examples, error }: Props) {
  const excess = [...value].length - MAX_CODE_POINTS;
  const problem = excess > 0 ? `${excess} characters too long.` : error;
  return (
    <div>
      <TextField
        id="prompt"
        label="Prompt"
        multiline
        fullWidth
        minRows={3}
        maxRows={10}
        value={value}
        onChange={(event) => onChange(event.target.value)}
        error={problem !== undefined}
        helperText={problem ?? hint}
      />
      <div className="examples">
        {examples.map((example) => (
          <Chip key={example} label={example} size="small" variant="outlined" onClick={() => onChange(example)} />
        ))}
      </div>
    </div>
  );
}

/** Whether the service takes it. */
export function isPrompt(text: string): boolean {
  return text.trim() !== '' && [...text].length <= MAX_CODE_POINTS;
}
