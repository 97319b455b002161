import type { Handlers } from "./handlers";

/** Hosts that the sandbox was refused, and who allowed them. */
export const foldEgress: Pick<Handlers, "egress_refused" | "host_allowed" | "host_forbidden"> = {
  egress_refused: (state, event, { seq, at }) => {
    const { host, port, why, rule, allowable } = event;
    const key = `egress-${rule}`;
    const item = { kind: "egress", key, after: seq, at, host, port, why, rule, allowable, allowed: null, forbidden: null } as const;
    state.transcript.put(item, seq);
  },
  host_allowed: (state, event, { seq, at }) => {
    const { host: rule, by, scope } = event;
    const known = state.transcript.find(`egress-${rule}`, "egress");
    const fresh = { kind: "egress", key: `egress-${rule}`, after: seq, at, host: rule, port: 443, why: "", rule } as const;
    const item = known ?? { ...fresh, allowable: true };
    state.transcript.put({ ...item, allowed: { by, scope }, forbidden: null }, known?.after ?? seq);
  },
  host_forbidden: (state, event, { seq, at }) => {
    const { host: rule, by, scope } = event;
    const known = state.transcript.find(`egress-${rule}`, "egress");
    const fresh = { kind: "egress", key: `egress-${rule}`, after: seq, at, host: rule, port: 443, why: "", rule } as const;
    const item = known ?? { ...fresh, allowable: true };
    state.transcript.put({ ...item, allowed: null, forbidden: { by, scope } }, known?.after ?? seq);
  },
};
