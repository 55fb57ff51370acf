import { type DependencyList, useEffect, useState } from 'react';

/** What `load` has led to with these very `inputs`; null until then, and where there is none or it fails. */
export function useLoaded<T>(
  load: (() => Promise<T | null>) | null | undefined | false,
  inputs: DependencyList,
): T | null {
  const [loaded, setLoaded] = useState<{ readonly value: T | null; readonly inputs: DependencyList } | null>(null);
  useEffect(() => {
    let left = false;
    const keep = (value: T | null) => left || setLoaded({ value, inputs });
    if (load) load().then(keep, () => keep(null));
    return () => {
      left = true;
    };
    // biome-ignore lint/correctness/useExhaustiveDependencies: what `load` depends on is what `inputs` says
  }, inputs);
  return loaded?.inputs.every((input, index) => input === inputs[index]) ? loaded.value : null;
}
