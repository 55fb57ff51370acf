/** The tasks of this browser, newest first, and written down: they outlive the page. */

import { Observable } from '../observable';
import { type Table, table } from '../storage';
import type { TaskRecord } from './record';

export class TaskStore extends Observable<readonly TaskRecord[]> {
  readonly #table: Table<TaskRecord>;

  constructor(rows: Table<TaskRecord>) {
    super([]);
    this.#table = rows;
  }

  async load(): Promise<void> {
    const rows = await this.#table.all();
    this.set(rows.sort((a, b) => b.createdAt - a.createdAt));
  }

  find(key: string): TaskRecord | undefined {
    return this.get().find((record) => record.key === key);
  }

  async add(record: TaskRecord): Promise<void> {
    await this.#table.put(record.key, record);
    this.set([record, ...this.get()]);
  }

  /** Does nothing where the record has been deleted meanwhile. */
  async change(key: string, changes: Partial<Omit<TaskRecord, 'operation' | 'body'>>): Promise<void> {
    const changed = this.get().map((record) => (record.key === key ? { ...record, ...changes } : record));
    this.set(changed);
    const record = this.find(key);
    if (record) await this.#table.put(key, record);
  }

  async delete(key: string): Promise<void> {
    this.set(this.get().filter((record) => record.key !== key));
    await this.#table.delete(key);
  }
}

export const tasks = new TaskStore(table('tasks'));
