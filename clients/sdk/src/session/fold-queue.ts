import { notice, type Handlers } from "./handlers";

/** What prompts of older logs do not say. */
const UNSAID = { attachments: [], revision: 1, edited_by: null };

export const foldQueue: Pick<
  Handlers,
  "session_created" | "prompt_queued" | "prompt_withdrawn" | "prompt_moved" | "prompt_edited" | "key_used"
> = {
  session_created: (state, event, { at }) => {
    state.created = { ...event, at };
    state.title = event.title;
  },
  prompt_queued: (state, event, { at }) => {
    state.queue = [...state.queue, { ...UNSAID, ...event.prompt, at }];
  },
  prompt_withdrawn: (state, event, stamp) => {
    notice(state, stamp, "info", `${event.by.name} withdrew a prompt.`);
    state.queue = state.queue.filter((prompt) => prompt.id !== event.prompt);
  },
  prompt_moved: (state, event, stamp) => {
    notice(state, stamp, "info", `${event.by.name} moved a prompt to place ${event.position + 1} of the queue.`);
    const moved = state.queue.find((prompt) => prompt.id === event.prompt);
    if (moved) state.queue = state.queue.filter((prompt) => prompt !== moved).toSpliced(event.position, 0, moved);
  },
  prompt_edited: (state, { prompt, text, attachments, revision, by }) => {
    state.queue = state.queue.map((queued) =>
      queued.id === prompt ? { ...queued, text, attachments, revision, edited_by: by } : queued,
    );
  },
  key_used: () => undefined,
};
