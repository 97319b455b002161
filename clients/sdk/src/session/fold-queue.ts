import type { Handlers } from "./handlers";

export const foldQueue: Pick<Handlers, "session_created" | "prompt_queued" | "prompt_withdrawn" | "prompt_moved"> = {
  session_created: (state, event, { at }) => {
    state.created = { ...event, at };
  },
  prompt_queued: (state, event, { at }) => {
    state.queue = [...state.queue, { ...event.prompt, at }];
  },
  prompt_withdrawn: (state, event) => {
    state.queue = state.queue.filter((prompt) => prompt.id !== event.prompt);
  },
  prompt_moved: (state, event) => {
    const moved = state.queue.find((prompt) => prompt.id === event.prompt);
    if (moved) state.queue = state.queue.filter((prompt) => prompt !== moved).toSpliced(event.position, 0, moved);
  },
};
