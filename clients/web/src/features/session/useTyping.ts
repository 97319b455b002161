import { useCallback, useRef } from "react";

import { api } from "@/features/server/api";

const EVERY_MS = 20_000;

/** Tells the server while somebody types, now and then, so that a sleeping sandbox is awake when the prompt comes. */
export function useTyping(session: string, running: boolean): () => void {
  const told = useRef(0);
  return useCallback(() => {
    const now = Date.now();
    if (running || now - told.current < EVERY_MS) return;
    told.current = now;
    api.typingIn(session).catch(() => undefined); // only a hint: the prompt itself says what is wrong
  }, [session, running]);
}
