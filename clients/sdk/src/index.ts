/** The control plane for any client: transport, resume, and a session folded into something to show. No React in here. */
export { Api } from "./api";
export { Feed, type Connection, type Socket } from "./feed";
export { EVERYTHING, hasRow, LiveList, withRows, type LiveListOptions, type Wanted } from "./list";
export { asProblem, Problem } from "./problem";
export { SessionFold } from "./session/fold";
export { SessionStore, type SessionSnapshot } from "./store";
export type * from "./session/view";
export type { MessageText } from "./session/text";
