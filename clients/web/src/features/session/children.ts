import type { ChildItem, SessionView } from "@outrider/sdk";

/** The sessions that this one started and that have not come to rest. */
export function workingChildren(view: SessionView): readonly ChildItem[] {
  return view.children.filter((child) => child.state === "starting" || child.state === "working");
}
