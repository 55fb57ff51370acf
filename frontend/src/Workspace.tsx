import Box from '@mui/material/Box';
import Typography from '@mui/material/Typography';
import type { ReactNode } from 'react';

interface Props {
  readonly title: string;
  readonly lead: string;
  readonly form: ReactNode;
  readonly stage: ReactNode;
}

/** A form beside what it makes; one column below 900 px. */
export function Workspace({ title, lead, form, stage }: Props) {
  return (
    <Box sx={{ display: 'grid', gap: { xs: 3, md: 5 }, gridTemplateColumns: { xs: 'minmax(0, 1fr)', md: '340px minmax(0, 1fr)' } }}>
      <Box component="section" aria-label="Settings of the picture" sx={{ display: 'flex', flexDirection: 'column', gap: 3 }}>
        <Box>
          <Typography variant="h1">{title}</Typography>
          <Typography sx={{ color: 'text.secondary', mt: 0.5 }}>{lead}</Typography>
        </Box>
        {form}
      </Box>
      <Box component="section" aria-label="Result" sx={{ minWidth: 0 }}>
        {stage}
      </Box>
    </Box>
  );
}
