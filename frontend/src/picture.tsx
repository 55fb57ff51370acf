import { type ComponentProps, useLayoutEffect, useState } from 'react';

/** A picture that is here as bytes; nothing, where there is none. */
export function Picture({ of: blob, alt = '', ...props }: ComponentProps<'img'> & { readonly of: Blob | undefined }) {
  const [url, setUrl] = useState<string>();
  // Before the frame is painted: nothing flickers.
  useLayoutEffect(() => {
    if (!blob) return setUrl(undefined);
    const made = URL.createObjectURL(blob);
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [blob]);
  return url && <img {...props} src={url} alt={alt} />;
}
