import { useSyncExternalStore } from "react";

/** One clock for the whole page, so that a hundred relative times are one timer. */
class Ticker {
  private now = Date.now();
  private timer: ReturnType<typeof setInterval> | undefined;
  private readonly listeners = new Set<() => void>();

  constructor(private readonly intervalMs: number) {}

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    if (this.timer === undefined) {
      this.now = Date.now(); // it stood still while nobody looked
      this.timer = setInterval(() => this.tick(), this.intervalMs);
    }
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size > 0) return;
      clearInterval(this.timer);
      this.timer = undefined;
    };
  };

  readonly get = (): number => this.now;

  private tick(): void {
    this.now = Date.now();
    for (const listener of this.listeners) listener();
  }
}

const everySecond = new Ticker(1_000);
const everyHalfMinute = new Ticker(30_000);

/** The time, a new one each second. */
export function useSeconds(): number {
  return useSyncExternalStore(everySecond.subscribe, everySecond.get);
}

/** The time, a new one each half minute. */
export function useMinutes(): number {
  return useSyncExternalStore(everyHalfMinute.subscribe, everyHalfMinute.get);
}
