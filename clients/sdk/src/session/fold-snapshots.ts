import { notice, type Handlers } from "./handlers";
import { NOTHING_COLLECTED } from "./state";

/** What is kept of the session's sandboxes, going back to it, and going on from it elsewhere. */
export const foldSnapshots: Pick<
  Handlers,
  "snapshot_taken" | "snapshot_failed" | "snapshot_stored" | "snapshot_not_stored" | "session_rewound" | "session_forked"
> = {
  snapshot_taken: (state, { turn, number, reason }, { seq, at }) => {
    const { commits, files, head } = state;
    state.works = new Map(state.works).set(number, { commits, files, head });
    if (reason === "turn") state.transcript.put({ kind: "snapshot", key: `snapshot-${seq}`, after: seq, at, turn, number }, seq);
  },
  snapshot_failed: (state, { reason }, stamp) => {
    notice(state, stamp, "problem", `The files of this turn could not be kept: ${reason}`);
  },
  snapshot_stored: () => undefined,
  snapshot_not_stored: (state, { reason, again }, stamp) => {
    if (!again) notice(state, stamp, "problem", `The snapshot is on this machine only: ${reason}`);
  },
  session_rewound: (state, { number, by, branch }, stamp) => {
    Object.assign(state, state.works.get(number) ?? NOTHING_COLLECTED);
    state.changes = null;
    notice(state, stamp, "info", `${by.name} rewound the session to turn ${number}.`, `Work goes to ${branch}.`);
  },
  session_forked: (state, { parent, number, by }, stamp) => {
    notice(state, stamp, "info", `${by.name} forked this session from turn ${number} of ${parent}.`);
  },
};
