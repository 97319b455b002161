import { notice, type Handlers } from "./handlers";

/** What prompts of older logs do not say. */
const UNSAID = { attachments: [], revision: 1, edited_by: null };

export const foldQueue: Pick<
  Handlers,
  "session_created" | "prompt_queued" | "prompt_withdrawn" | "prompt_moved" | "prompt_edited" | "key_used" | "turn_held" | "turn_admitted" | "transcript_nearly_full"
> = {
  session_created: (state, event, { at }) => {
    state.created = { ...event, at };
    state.title = event.title;
  },
  prompt_queued: (state, event, { at }) => {
    const place = event.position ?? state.queue.length;
    state.queue = state.queue.toSpliced(place, 0, { ...UNSAID, ...event.prompt, at });
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
  turn_held: (state, { turn, sentence, remedy }, stamp) => {
    if (state.turn?.id === turn) state.turn = { ...state.turn, held: { sentence, remedy } };
    notice(state, stamp, "info", `Waiting: ${sentence}`);
  },
  turn_admitted: (state, { turn }) => {
    if (state.turn?.id === turn) state.turn = { ...state.turn, held: null };
  },
  transcript_nearly_full: (state, { events, limit }, stamp) => {
    const words = `This transcript is nearly full: ${events} of ${limit} events. Then it takes no more prompts.`;
    notice(state, stamp, "interrupted", words, "To go on, fork the session from its newest turn.");
  },
};
