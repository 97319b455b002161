import { notice, type Handlers } from "./handlers";

/** The session as a whole: its name, its place in the list, the archive. */
export const foldHistory: Pick<
  Handlers,
  "log_salvaged" | "session_renamed" | "session_pinned" | "archive_requested" | "session_archived" | "session_unarchived"
> = {
  log_salvaged: (state, { kept, place }, stamp) => {
    state.queue = [];
    notice(
      state,
      stamp,
      "problem",
      `The session's log was damaged. Its first ${kept} events could be read; what came later is lost.`,
      `Nothing goes on by itself: look at the workspace and prompt again. The damaged file is kept in ${place}.`,
    );
  },
  session_renamed: (state, { title, by }, stamp) => {
    state.title = title;
    notice(state, stamp, "info", `${by.name} renamed the session: ${title}`);
  },
  session_pinned: (state, { pinned }) => {
    state.pinned = pinned ?? true;
  },
  archive_requested: (state, { by }, stamp) => {
    state.archiving = true;
    notice(state, stamp, "info", `${by.name} archives the session as soon as its turn has stopped and its files are kept.`);
  },
  session_archived: (state, { by }, stamp) => {
    state.archived = true;
    state.archiving = false;
    notice(state, stamp, "info", `${by.name} archived the session.`);
  },
  session_unarchived: (state, { by }, stamp) => {
    state.archived = false;
    state.archiving = false;
    notice(state, stamp, "info", `${by.name} took the session out of the archive.`);
  },
};
