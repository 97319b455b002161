import type { Attachment } from "@outrider/protocol";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A server on the loopback that this page was loaded from, as far as the page can tell. */
export interface Served {
  /** What was sent to a route, such as `POST /api/sessions/s-aaaa/children`. */
  readonly bodies: (route: string) => readonly unknown[];
  readonly answer: (route: string, body: unknown) => void;
  readonly refuse: (route: string, status: number, sentence: string, remedy: string) => void;
  /** The connection of the next request to the route is cut without an answer. */
  readonly drop: (route: string) => void;
  readonly answerUploads: (file: Attachment) => void;
  readonly end: () => Promise<void>;
}

/** jsdom goes on to think of the page as of the origin that it began with. */
const CORS = { "access-control-allow-origin": "*", "access-control-allow-headers": "*" };

type Answer = readonly [status: number, body: unknown];

/** Serves these answers until `end`. */
export async function serve(answers: Readonly<Record<string, unknown>>): Promise<Served> {
  const known = new Map<string, Answer>(Object.entries(answers).map(([route, body]) => [route, [200, body]]));
  const asked: [string, string][] = [];
  const dropped = new Set<string>();
  const respond = (route: string, response: ServerResponse): void => {
    const [status, body] = known.get(route) ?? [404, { sentence: `Nothing answers ${route}.` }];
    response.writeHead(status, { ...CORS, "content-type": "application/json" }).end(JSON.stringify(body));
  };
  const server = createServer((request, response) => {
    if (request.method === "OPTIONS") return void response.writeHead(204, CORS).end();
    const route = `${request.method} ${request.url?.split("?")[0]}`;
    void textOf(request).then((text) => {
      asked.push([route, text]);
      if (dropped.delete(route)) request.socket.destroy();
      else respond(route, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const restore = loadedFrom(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  return {
    bodies: (route) => asked.filter(([one]) => one === route).map(([, text]) => JSON.parse(text) as unknown),
    answer: (route, body) => void known.set(route, [200, body]),
    refuse: (route, status, sentence, remedy) => void known.set(route, [status, { sentence, remedy }]),
    drop: (route) => void dropped.add(route),
    answerUploads: (file) => void known.set("POST /api/attachments", [201, file]),
    end: () => {
      restore();
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const part of request) text += String(part);
  return text;
}

/** Node's `fetch` does not know the page's address; jsdom's XMLHttpRequest does. */
function loadedFrom(url: string): () => void {
  const { jsdom } = globalThis as unknown as { jsdom: { reconfigure: (what: { url: string }) => void } };
  jsdom.reconfigure({ url });
  const { fetch } = globalThis;
  globalThis.fetch = (input, init) => fetch(new URL(String(input), url), init);
  return () => void (globalThis.fetch = fetch);
}
