/** What survives a reload: two tables in IndexedDB. Where the browser has none (private windows), nothing survives. */

export interface Table<T> {
  all(): Promise<T[]>;
  put(key: string, value: T): Promise<void>;
  delete(key: string): Promise<void>;
}

const TABLES = ['tasks', 'drafts'] as const;
let database: Promise<IDBDatabase> | undefined;

export function table<T>(name: (typeof TABLES)[number]): Table<T> {
  const store = async (mode: IDBTransactionMode) => (await opened()).transaction(name, mode).objectStore(name);
  return {
    all: async () => settled<T[]>((await store('readonly')).getAll()),
    put: async (key, value) => void (await settled((await store('readwrite')).put(value, key))),
    delete: async (key) => void (await settled((await store('readwrite')).delete(key))),
  };
}

function opened(): Promise<IDBDatabase> {
  database ??= open();
  return database;
}

function open(): Promise<IDBDatabase> {
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
