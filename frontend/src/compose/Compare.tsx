import { Slider } from '@mui/material';
import { useState } from 'react';
import { useObjectUrl } from '../useObjectUrl';

/** Two pictures of one size, one over the other, with a line between them to move. */
export function Compare({ before, after, alt }: { readonly before: Blob; readonly after: Blob; readonly alt: string }) {
  const [at, setAt] = useState(50);
  const [beforeUrl, afterUrl] = [useObjectUrl(before), useObjectUrl(after)];
  return (
    <div>
      <div className="compare">
        <img src={afterUrl} alt={alt} />
        <img src={beforeUrl} alt="" style={{ clipPath: `inset(0 ${100 - at}% 0 0)` }} />
        <span aria-hidden style={{ left: `${at}%` }} />
      </div>
      <div className="row small muted">
        Before
        <Slider
          size="small"
          aria-label="Before and after"
          value={at}
          onChange={(_, to) => setAt(to)}
          className="grow"
        />
        After
      </div>
    </div>
  );
}
