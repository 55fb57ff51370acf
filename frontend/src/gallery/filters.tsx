import { create } from 'zustand';
import { Segments } from '../form/segments';
import { type Filter, KINDS, STATES } from './item';

/** Stays as it is while other screens are shown. */
export const useFilter = create<Filter>(() => ({ kind: 'all', state: 'all' }));

export function Filters() {
  const { kind, state } = useFilter();
  return (
    <div className="row filters">
      <Segments label="Kind" options={KINDS} value={kind} onChange={(one) => useFilter.setState({ kind: one })} />
      <Segments label="Status" options={STATES} value={state} onChange={(one) => useFilter.setState({ state: one })} />
    </div>
  );
}
