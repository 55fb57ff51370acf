import Box from '@mui/material/Box';
import Chip from '@mui/material/Chip';
import TextField from '@mui/material/TextField';

const MAX_CODE_POINTS = 4000;

interface Props {
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly hint: string;
  readonly examples: readonly string[];
  readonly error?: string | undefined;
}

export function PromptField({ value, onChange, hint, examples, error }: Props) {
  const left = MAX_CODE_POINTS - [...value].length;
  const tooLong = left < 0 ? `${-left} characters too long.` : undefined;
  const problem = tooLong ?? error;
  return (
    <Box>
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
      <Box sx={{ display: 'flex', flexWrap: 'wrap', gap: 1, mt: 1.5 }}>
        {examples.map((example) => (
          <Chip key={example} label={example} size="small" variant="outlined" onClick={() => onChange(example)} />
        ))}
      </Box>
    </Box>
  );
}

/** Whether the service takes it. */
export function isPrompt(text: string): boolean {
  return text.trim() !== '' && [...text].length <= MAX_CODE_POINTS;
}
