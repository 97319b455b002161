// Outrider's part of OpenCode: what tools see of the environment, and the short way of its events to its ACP.
//
// OpenCode's ACP speaks to the rest of OpenCode over HTTP, from and to one process that computes on one thread. What it
// waits for most is answered within the process. A plugin is loaded before ACP subscribes; were it not, events would go
// their long way.

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

// Before it passes on the first piece of a text, ACP asks who speaks, and waits for the whole message: some 10 ms, in
// which no other piece goes out either. It asks once for each text, so the answer is given from what was heard, once.
function known(id) {
  const message = messages.get(id)
  if (!message?.asked) return undefined
  message.asked = false
  return Response.json({ info: message.info, parts: message.parts })
}

/** What ACP hears of, in the order in which it happens. */
const HEARD = /^(session\.status|permission\.asked|message\.part\.(updated|delta))$/

/** The stream that ACP reads, and whether events come to it by the short way. */
let feed
let short = false

function pass(event) {
  if (feed === undefined || !HEARD.test(event.type)) return
  const before = short ? "" : "\n\n" // ends a frame of which a piece is still on the long way
  short = true
  feed.enqueue(new TextEncoder().encode(`${before}data: ${JSON.stringify({ payload: event })}\n\n`))
}

// Over HTTP an event reaches ACP when everything else that waits is computed: some 10 ms for the first piece of a text.
function subscribed(answer) {
  if (!answer.ok) return answer
  const relay = async (stream) => {
    try {
      for await (const piece of answer.body) {
        if (short) return
        stream.enqueue(piece)
      }
      feed = undefined
      stream.close()
    } catch (error) {
      if (short) return
      feed = undefined
      stream.error(error)
    }
  }
  const body = new ReadableStream({ start: (stream) => void relay((feed = stream)), cancel: () => void (feed = undefined) })
  return new Response(body, { headers: answer.headers })
}

const ask = globalThis.fetch

function answered(method, url) {
  const path = method === "GET" && /^\/session\/[^/]+\/message(?:\/([^/]+))?$/.exec(url.pathname)
  if (!path) return undefined
  if (path[1]) return known(path[1])
  // All messages of the session: at the end of each turn, only to tell a usage that nobody here asks for. The longer the
  // session, the longer the wait. (`session/load` would need them; `session/resume` gives a limit.)
  return url.searchParams.has("limit") ? undefined : Response.json([])
}

async function fetch(input, options) {
  if (options) return ask(input, options)
  const url = new URL(input?.url ?? input)
  if (url.pathname === "/global/event") return subscribed(await ask(input))
  return answered(input?.method ?? "GET", url) ?? ask(input)
}

globalThis.fetch = Object.assign(fetch, ask)

export const Outrider = async () => ({
  event: async ({ event }) => {
    hear(event.type, event.properties)
    pass(event)
  },
  // Tools run in a shell that knows nothing of the engine: its environment is not theirs, and its role is not either.
  "shell.env": async (_input, output) => {
    for (const name of Object.keys(process.env))
      if (/^(OUTRIDER_ROLE$|OPENCODE|XDG_)/.test(name)) output.env[name] = undefined
  },
})
