import { notice, type Handlers } from "./handlers";
import type { FoldState } from "./state";
import type { ChildItem } from "./view";

type ChildEvents =
  | "child_requested"
  | "child_spawned"
  | "child_refused"
  | "child_prompted"
  | "child_ended"
  | "children_stop_requested";

/** The sessions that this one started: one item each, where it was started. */
export const foldChildren: Pick<Handlers, ChildEvents> = {
  child_requested: (state, { child }, { seq, at }) => {
    const { session, title } = child;
    const repository = child.repository.name;
    const key = `child-${session}`;
    const item = { kind: "child", key, after: seq, at, session, title, repository, state: "starting" } as const;
    put(state, { ...item, prompts: 1, result: null, refusal: "" });
  },
  child_spawned: (state, { child }) => change(state, child, { state: "working" }),
  child_refused: (state, { child, reason }) => change(state, child, { state: "refused", refusal: reason }),
  child_prompted: (state, { child }) => {
    const prompts = (find(state, child)?.prompts ?? 0) + 1;
    change(state, child, { state: "working", prompts });
  },
  child_ended: (state, { child, result }) => change(state, child, { state: "resting", result }),
  children_stop_requested: (state, { children, by }, stamp) => {
    const titles = children.map((child) => find(state, child)?.title ?? child);
    notice(state, stamp, "info", `${by.name} asked that these sessions stop too: ${titles.join(", ")}.`);
  },
};

function find(state: FoldState, session: string): ChildItem | undefined {
  return state.children.find((child) => child.session === session);
}

function put(state: FoldState, child: ChildItem): void {
  state.children = [...state.children.filter((other) => other.session !== child.session), child];
  state.transcript.put(child, child.after);
}

function change(state: FoldState, session: string, changes: Partial<ChildItem>): void {
  const known = find(state, session);
  if (!known) return;
  const child = { ...known, ...changes };
  state.children = state.children.map((other) => (other === known ? child : other));
  state.transcript.replace(child);
}
