/**
 * What survives a reload: two tables in IndexedDB. Where the browser has none (some private windows), or no room left,
 * the page works on, and nothing survives.
 */

export interface Table<T> {
  all(): Promise<T[]>;
  put(key: string, value: T): Promise<void>;
  delete(key: string): Promise<void>;
}

const TABLES = ['tasks', 'drafts'] as const;
let database: Promise<IDBDatabase> | undefined;

export function table<T>(name: (typeof TABLES)[number]): Table<T> {
  const attempt = async <R>(mode: IDBTransactionMode, work: (store: IDBObjectStore) => IDBRequest<R>, failed: R) => {
    try {
      database ??= open();
      return await settled(work((await database).transaction(name, mode).objectStore(name)));
    } catch {
      return failed;
    }
  };
  return {
    all: () => attempt<T[]>('readonly', (store) => store.getAll(), []),
    put: async (key, value) => void (await attempt('readwrite', (store) => store.put(value, key), key)),
    delete: (key) => attempt('readwrite', (store) => store.delete(key), undefined),
  };
}

async function open(): Promise<IDBDatabase> {
  const request = indexedDB.open('aige', 1);
  request.onupgradeneeded = () => {
    for (const name of TABLES) request.result.createObjectStore(name);
  };
  return settled(request);
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
