/** How long something that failed is left alone at first; twice as long after each further failure. */
const firstCooldownMs = 1000;
const maxCooldownMs = 60_000;

/**
 * Whether something that may fail is to be asked. Closed, it always is; a failure opens the circuit, and it is left alone
 * for a while; then it is half open: one caller may try, and what comes of that closes it or opens it again.
 */
export class Circuit {
  readonly #now: () => number;
  #cooldownMs = firstCooldownMs;
  /** Undefined while closed. */
  #openUntilMs: number | undefined;
  #isProbed = false;

  /** `now` tells the time in milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** True if the caller may ask now. Then it must call `succeed`, `fail` or `leave`. */
  enter(): boolean {
    if (this.#openUntilMs === undefined) return true;
    if (this.#isProbed || this.#now() < this.#openUntilMs) return false;
    this.#isProbed = true;
    return true;
  }

  succeed(): void {
    this.#openUntilMs = undefined;
    this.#cooldownMs = firstCooldownMs;
    this.#isProbed = false;
  }

  /** Opens it, at least for as long as was asked for. */
  fail(retryAfterMs = 0): void {
    this.#openUntilMs = this.#now() + Math.max(this.#cooldownMs, retryAfterMs);
    this.#cooldownMs = Math.min(this.#cooldownMs * 2, maxCooldownMs);
    this.#isProbed = false;
  }

  /** Nothing came of it: the next caller may try. */
  leave(): void {
    this.#isProbed = false;
  }
}
