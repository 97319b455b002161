import { SessionStore, type SessionSnapshot } from "@outrider/sdk";
import { useEffect, useSyncExternalStore } from "react";

import { api, socketOrigin } from "./api";

/** How many sessions stay in memory after their page was left, so that going back shows them at once. */
const KEPT_SESSIONS = 6;

const stores = new Map<string, SessionStore>();

/** A session as it is now, and every change of it. */
export function useSession(session: string): SessionSnapshot & Pick<SessionStore, "nudge" | "showTyping"> {
  const store = storeOf(session);
  const snapshot = useSyncExternalStore(store.subscribe, store.snapshot);
  useEffect(() => {
    const look = (): void => {
      if (document.visibilityState === "visible") store.nudge();
    };
    addEventListener("online", look);
    document.addEventListener("visibilitychange", look);
    return () => {
      removeEventListener("online", look);
      document.removeEventListener("visibilitychange", look);
    };
  }, [store]);
  return { ...snapshot, nudge: store.nudge, showTyping: store.showTyping };
}

function storeOf(session: string): SessionStore {
  const known = stores.get(session);
  if (known) return known;
  const probe = (): Promise<unknown> => api.session(session);
  const store = new SessionStore({ session, origin: socketOrigin, probe, schedule: soon });
  stores.set(session, store);
  for (const oldest of stores.keys()) {
    if (stores.size <= KEPT_SESSIONS) break;
    if (oldest !== session) stores.delete(oldest);
  }
  return store;
}

/** At most one change a frame; a hidden page has no frames, so it gets a timer. */
function soon(publish: () => void): void {
  if (document.visibilityState === "visible") requestAnimationFrame(publish);
  else setTimeout(publish, 250);
}
