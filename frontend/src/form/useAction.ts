import { useState } from 'react';
import { ApiError } from '../api/errors';
import { UnreadablePicture } from '../picture';

/** Something that takes a moment: whether it is under way, and what went wrong last time. */
export function useAction<A extends readonly unknown[]>(action: (...args: A) => Promise<unknown>) {
  const [state, setState] = useState<{ busy: boolean; error: string | null }>({ busy: false, error: null });
  const run = async (...args: A) => {
    setState({ busy: true, error: null });
    try {
      await action(...args);
      setState({ busy: false, error: null });
    } catch (error) {
      const foreseen = error instanceof ApiError || error instanceof UnreadablePicture;
      setState({ busy: false, error: foreseen ? error.message : 'Something broke in this page.' });
      if (!foreseen) throw error;
    }
  };
  return { ...state, run };
}
