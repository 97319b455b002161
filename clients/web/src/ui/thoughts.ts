import { useSyncExternalStore } from "react";

export type Thoughts = "line" | "open" | "hidden";

const KEY = "outrider-thoughts";
const listeners = new Set<() => void>();

function read(): Thoughts {
  const kept = localStorage.getItem(KEY);
  return kept === "open" || kept === "hidden" ? kept : "line";
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** How this viewer wants to see what the agent thinks. Kept in the browser. */
export function useThoughts(): Thoughts {
  return useSyncExternalStore(subscribe, read);
}

export function setThoughts(thoughts: Thoughts): void {
  localStorage.setItem(KEY, thoughts);
  for (const listener of listeners) listener();
}
