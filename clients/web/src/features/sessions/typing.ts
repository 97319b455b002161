import type { Typing } from "@outrider/protocol";

/** How long a pause in typing is, in ms, before it is told. */
export const PAUSE_MS = 400;
/** What is held is told again after this, in ms, while typing goes on: well before the server lets go of it. */
export const AGAIN_MS = 20_000;

/** Tells the server that a session is about to be started, so that a warm sandbox is held for it. Rarely: once for each
 * repository, branch and model that is named, and again while typing goes on. */
export class TypingTeller {
  private told = "";
  private at = -Infinity;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly tell: (what: Typing) => void,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Something was typed. */
  heard(what: Typing): void {
    clearTimeout(this.timer);
    const said = JSON.stringify(what);
    if (!what.repository || (said === this.told && this.now() - this.at < AGAIN_MS)) return;
    this.timer = setTimeout(() => {
      this.told = said;
      this.at = this.now();
      this.tell(what);
    }, PAUSE_MS);
  }

  /** Nobody types any more. */
  end(): void {
    clearTimeout(this.timer);
  }
}
