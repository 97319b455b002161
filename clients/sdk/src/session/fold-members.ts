import { notice, type Handlers } from "./handlers";

/** Who joined, who may what, who left. */
export const foldMembers: Pick<Handlers, "member_joined" | "role_changed" | "member_left"> = {
  member_joined: (state, { person, role, guest, by }, stamp) => {
    state.membersSeq = stamp.seq;
    const invited = by ? `, invited by ${by.name}` : "";
    notice(state, stamp, "info", `${person.name} joined as ${role}${guest ? " (a guest)" : ""}${invited}.`);
  },
  role_changed: (state, { person, role, by }, stamp) => {
    state.membersSeq = stamp.seq;
    notice(state, stamp, "info", `${by.name} made ${person.name} ${role}.`);
  },
  member_left: (state, { person, by }, stamp) => {
    state.membersSeq = stamp.seq;
    const own = person.email === by.email;
    notice(state, stamp, "info", own ? `${person.name} left the session.` : `${by.name} removed ${person.name} from the session.`);
  },
};
