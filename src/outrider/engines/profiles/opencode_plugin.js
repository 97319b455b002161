// Outrider's part of OpenCode: what tools see of the environment, and the way of an answer's first words.

const MOST_MESSAGES = 20

/** Answers that are being written: {info, parts, told, asked}. */
const messages = new Map()

function hear(type, properties) {
  const { info, part, partID } = properties
  if (type === "message.updated") {
    if (info.role !== "assistant" || info.time.completed) messages.delete(info.id)
    else messages.set(info.id, { parts: [], told: new Set(), asked: false, ...messages.get(info.id), info })
    if (messages.size > MOST_MESSAGES) messages.delete(messages.keys().next().value)
  }
  const message = messages.get(part?.messageID ?? properties.messageID)
  if (message === undefined) return
  if (type === "message.part.updated" && !message.parts.some((known) => known.id === part.id)) message.parts.push(part)
  if (type === "message.part.delta" && !message.told.has(partID)) {
    message.told.add(partID)
    message.asked = message.parts.some((known) => known.id === partID)
  }
}

// Before it passes on the first piece of a text, OpenCode's ACP asks its own HTTP server who speaks, and waits for the
// whole message: some 10 ms, in which no other piece goes out either. It asks once for each text, so the answer is given
// from what was heard, once for each text. Anything else goes its way.
function known(input) {
  const method = input?.method ?? "GET"
  const path = /\/session\/[^/?]+\/message\/([^/?]+)(\?|$)/.exec(input?.url ?? String(input))
  const message = method === "GET" && path ? messages.get(path[1]) : undefined
  if (message === undefined || !message.asked) return undefined
  message.asked = false
  return Response.json({ info: message.info, parts: message.parts })
}

const ask = globalThis.fetch
globalThis.fetch = Object.assign(async (input, options) => (options ? undefined : known(input)) ?? ask(input, options), ask)

export const Outrider = async () => ({
  event: async ({ event }) => hear(event.type, event.properties),
  // Tools run in a shell that knows nothing of the engine: its environment is not theirs, and its role is not either.
  "shell.env": async (_input, output) => {
    for (const name of Object.keys(process.env))
      if (/^(OUTRIDER_ROLE$|OPENCODE|XDG_)/.test(name)) output.env[name] = undefined
  },
})
