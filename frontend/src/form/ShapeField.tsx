import Box from '@mui/material/Box';
import Typography from '@mui/material/Typography';
import { visuallyHidden } from '@mui/utils';

interface Shape<T extends string> {
  readonly value: T;
  readonly label: string;
  readonly detail?: string;
  readonly ratio: number;
}

interface Props<T extends string> {
  readonly label: string;
  readonly shapes: readonly Shape<T>[];
  readonly value: T;
  readonly onChange: (value: T) => void;
}

const LONG_SIDE = 26;

/** One of several shapes, each drawn: real radio buttons beneath. */
export function ShapeField<T extends string>({ label, shapes, value, onChange }: Props<T>) {
  return (
    <Box role="radiogroup" aria-label={label}>
      <Typography variant="h2" component="h3" sx={{ mb: 1 }}>
        {label}
      </Typography>
      <Box sx={{ display: 'grid', gap: 1, gridTemplateColumns: 'repeat(auto-fill, minmax(88px, 1fr))' }}>
        {shapes.map((shape) => (
          <Box key={shape.value} component="label" sx={TILE}>
            <input
              type="radio"
              name={label}
              value={shape.value}
              checked={shape.value === value}
              onChange={() => onChange(shape.value)}
              style={visuallyHidden}
            />
            <Box aria-hidden sx={{ height: LONG_SIDE, display: 'grid', placeItems: 'center' }}>
              <Box
                sx={{
                  width: LONG_SIDE * Math.min(1, shape.ratio),
                  height: LONG_SIDE * Math.min(1, 1 / shape.ratio),
                  border: '1.5px solid currentColor',
                  borderRadius: '3px',
                }}
              />
            </Box>
            <Typography variant="caption" sx={{ color: 'inherit', fontWeight: 600 }}>
              {shape.label}
            </Typography>
            {shape.detail && <Typography sx={{ fontSize: '0.6875rem', lineHeight: 1.2 }}>{shape.detail}</Typography>}
          </Box>
        ))}
      </Box>
    </Box>
  );
}

const TILE = {
  position: 'relative',
  display: 'flex',
  flexDirection: 'column',
  alignItems: 'center',
  textAlign: 'center',
  gap: 0.5,
  px: 0.5,
  py: 1,
  color: 'text.secondary',
  bgcolor: 'background.paper',
  border: 1,
  borderColor: 'divider',
  borderRadius: 2,
  cursor: 'pointer',
  '&:hover': { borderColor: 'text.secondary' },
  '&:has(:checked)': { borderColor: 'primary.main', color: 'primary.main', boxShadow: 'inset 0 0 0 1px currentColor' },
  '&:has(:focus-visible)': { outline: '2px solid', outlineColor: 'primary.main', outlineOffset: 2 },
} as const;
