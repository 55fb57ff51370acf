/** Its `signal` aborts what takes longer than this, from the beginning or from when it was renewed last. */
export class TimeLimit {
  readonly #stop = new AbortController();
  readonly #milliseconds: number;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(milliseconds: number) {
    this.#milliseconds = milliseconds;
    this.renew();
  }

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  renew(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#stop.abort(), this.#milliseconds);
  }

  /** What still goes on is aborted. */
  end(): void {
    clearTimeout(this.#timer);
    this.#stop.abort();
  }
}
