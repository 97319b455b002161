import type { SessionView } from "@outrider/sdk";

import { parseDiff, type FileDiff } from "@/ui/diff";

/** A unified diff by path. */
export function byPath(diff: string): ReadonlyMap<string, readonly FileDiff[]> {
  return new Map(parseDiff(diff).map((file) => [file.path, [file]]));
}

/** The agent's own edits by path: what there is to see before a pull request exists. */
export function editsOf(view: SessionView): ReadonlyMap<string, readonly FileDiff[]> {
  const edits = new Map<string, readonly FileDiff[]>();
  for (const item of view.items) {
    if (item.kind !== "tool") continue;
    for (const part of item.content) {
      if (part.type !== "diff") continue;
      for (const file of parseDiff(part.diff)) edits.set(file.path, [...(edits.get(file.path) ?? []), file]);
    }
  }
  return edits;
}
