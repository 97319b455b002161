import { useEffect, useMemo } from "react";

import { api } from "@/features/server/api";

/** A sleeping sandbox wakes by it. */
const WAKE_EVERY_MS = 20_000;
/** The others are shown it for 8 seconds. */
const SHOW_EVERY_MS = 5_000;

interface Typing {
  readonly tell: () => void;
  readonly stop: () => void;
}

/** Tells the server while somebody types, now and then: a sandbox that sleeps is awake when the prompt comes, and the others
 * see it. */
export function useTyping(session: string, running: boolean, show: (typing: boolean) => void): Typing {
  const typing = useMemo(() => {
    let woken = 0;
    let shown = 0;
    const tell = (): void => {
      const now = Date.now();
      if (!running && now - woken >= WAKE_EVERY_MS) {
        woken = now;
        api.typingIn(session).catch(() => undefined); // only a hint: the prompt itself says what is wrong
      }
      if (now - shown >= SHOW_EVERY_MS) {
        shown = now;
        show(true);
      }
    };
    const stop = (): void => {
      if (shown) show(false);
      shown = 0;
    };
    return { tell, stop };
  }, [session, running, show]);
  useEffect(() => typing.stop, [typing]);
  return typing;
}
