import type { ClientFrame } from "@outrider/protocol";

import { asProblem, type Problem } from "./problem";

/** How the feed stands. `waiting` tries again by itself; `refused` does not. */
export type Connection =
  | { readonly kind: "connecting" }
  | { readonly kind: "replaying" }
  | { readonly kind: "live" }
  | { readonly kind: "waiting"; readonly attempt: number; readonly retryInMs: number }
  | { readonly kind: "refused"; readonly problem: Problem }
  | { readonly kind: "closed" };

/** What the feed needs of a WebSocket. */
export interface Socket {
  onopen: (() => void) | null;
  onmessage: ((message: { data: unknown }) => void) | null;
  onclose: (() => void) | null;
  onerror: (() => void) | null;
  close(): void;
  send?(data: string): void;
}

/** What every frame has. `live` says that all is here, `resync` that something was dropped; others are whoever takes them. */
interface Framed {
  readonly kind: string;
}

export interface FeedOptions<F extends Framed> {
  /** The address to attach at, given the newest event that is here already. */
  readonly url: (after: number) => string;
  readonly after: () => number;
  /** Take a frame in. `false` says that something before it is missing: the feed attaches again. */
  readonly take: (frame: F) => boolean;
  readonly changed: (connection: Connection) => void;
  /** Asks over HTTP why the socket does not open; a browser does not say. */
  readonly probe: () => Promise<unknown>;
  readonly openSocket?: (url: string) => Socket;
  readonly random?: () => number;
}

const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 8_000;

/**
 * One WebSocket at a time, attached again whenever it ends.
 *
 * A resume asks for what comes after the newest event that is here, so nothing is missed; whoever takes the frames drops
 * what it has already, so nothing is seen twice.
 */
export class Feed<F extends Framed> {
  private socket: Socket | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private attempt = 0;
  private opened = false;
  private connection: Connection = { kind: "closed" };

  constructor(private readonly options: FeedOptions<F>) {}

  open(): void {
    if (this.connection.kind !== "closed") return;
    this.attempt = 0;
    this.attach();
  }

  close(): void {
    clearTimeout(this.timer);
    this.drop();
    this.become({ kind: "closed" });
  }

  /** Try again at once, where the feed waits: the network is back, or somebody looks. */
  nudge(): void {
    if (this.connection.kind === "waiting") this.attach();
  }

  /** Say something to the server, where the line is live. */
  tell(frame: ClientFrame): void {
    if (this.connection.kind === "live") this.socket?.send?.(JSON.stringify(frame));
  }

  private attach(): void {
    clearTimeout(this.timer);
    this.drop();
    this.opened = false;
    this.become({ kind: "connecting" });
    const open = this.options.openSocket ?? openWebSocket;
    const socket = open(this.options.url(this.options.after()));
    this.socket = socket;
    socket.onopen = () => {
      this.opened = true;
      this.become({ kind: "replaying" });
    };
    socket.onmessage = ({ data }) => this.receive(data);
    socket.onclose = () => void this.ended();
  }

  private receive(data: unknown): void {
    const frame = parseFrame<F>(data);
    if (frame === null) return;
    if (frame.kind === "resync" || !this.options.take(frame)) {
      this.drop();
      this.retry();
    } else if (frame.kind === "live") {
      this.attempt = 0;
      this.become({ kind: "live" });
    }
  }

  private async ended(): Promise<void> {
    this.drop();
    if (this.opened) return this.retry();
    const problem = await this.whyClosed();
    if (this.connection.kind !== "connecting") return;
    if (problem?.needsLogin || problem?.isNotFound) this.become({ kind: "refused", problem });
    else this.retry();
  }

  private async whyClosed(): Promise<Problem | null> {
    try {
      await this.options.probe();
      return null;
    } catch (error) {
      return asProblem(error);
    }
  }

  private retry(): void {
    const longest = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.attempt);
    const retryInMs = Math.round(longest * (0.5 + (this.options.random ?? Math.random)() / 2));
    this.attempt += 1;
    this.timer = setTimeout(() => this.attach(), retryInMs);
    this.become({ kind: "waiting", attempt: this.attempt, retryInMs });
  }

  private drop(): void {
    const socket = this.socket;
    this.socket = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  private become(connection: Connection): void {
    this.connection = connection;
    this.options.changed(connection);
  }
}

function parseFrame<F extends Framed>(data: unknown): F | null {
  if (typeof data !== "string") return null;
  try {
    return JSON.parse(data) as F;
  } catch {
    return null;
  }
}

function openWebSocket(url: string): Socket {
  return new WebSocket(url) as Socket;
}
