import type { ServerFrame } from "@outrider/protocol";

import { Feed, type Connection, type Socket } from "./feed";
import { SessionFold } from "./session/fold";
import type { SessionView } from "./session/view";

/** What a page shows of a session: what is known, and how sure the connection is. */
export interface SessionSnapshot {
  readonly view: SessionView;
  readonly connection: Connection;
  /** Whether the first replay has come to its end: until then an empty view means nothing. */
  readonly loaded: boolean;
}

export interface StoreOptions {
  readonly session: string;
  /** Where the WebSocket is, such as `ws://localhost:4100`. */
  readonly origin: string;
  readonly probe: () => Promise<unknown>;
  /** Runs the callback soon, once: many frames in between are one change. */
  readonly schedule?: (publish: () => void) => void;
  readonly openSocket?: (url: string) => Socket;
  readonly now?: () => Date;
}

/** A session kept up to date by its feed, for as long as somebody listens. Made for `useSyncExternalStore`. */
export class SessionStore {
  private readonly fold = new SessionFold();
  private readonly feed: Feed<ServerFrame>;
  private readonly listeners = new Set<() => void>();
  private connection: Connection = { kind: "connecting" };
  private loaded = false;
  private scheduled = false;
  private current: SessionSnapshot;

  constructor(private readonly options: StoreOptions) {
    const base = `${options.origin}/api/sessions/${encodeURIComponent(options.session)}/feed`;
    this.feed = new Feed<ServerFrame>({
      url: (after) => `${base}?client=browser&after=${after}`,
      after: () => this.fold.seq,
      take: (frame) => this.take(frame),
      changed: (connection) => this.connectionChanged(connection),
      probe: options.probe,
      ...(options.openSocket && { openSocket: options.openSocket }),
    });
    this.current = { view: this.fold.view(), connection: this.connection, loaded: false };
  }

  readonly snapshot = (): SessionSnapshot => this.current;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    if (this.listeners.size === 1) this.feed.open();
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size === 0) this.feed.close();
    };
  };

  /** Attach again at once, where the feed waits for its next try. */
  readonly nudge = (): void => this.feed.nudge();

  /** Show the others that the person types, or does not any more. Only a hint: nothing is tried again. */
  readonly showTyping = (typing: boolean): void => this.feed.tell({ kind: "here", ref: "here", typing });

  private take(frame: ServerFrame): boolean {
    const complete = this.takeIn(frame);
    this.publishSoon();
    return complete;
  }

  private takeIn(frame: ServerFrame): boolean {
    switch (frame.kind) {
      case "events":
        return frame.events.every((recorded) => this.fold.apply(recorded));
      case "drafts":
        return frame.drafts.every((draft) => this.fold.type(draft, this.time()));
      case "delta":
        return this.fold.type(frame, this.time());
      case "progress":
        this.fold.progress(frame.stage, frame.text);
        return true;
      case "presence":
        this.fold.meet(frame);
        return true;
      case "changes":
        this.fold.changed(frame.changes);
        return true;
      case "live":
        this.loaded = true;
        return this.fold.seq >= frame.seq;
      default:
        return true;
    }
  }

  private time(): string {
    return (this.options.now?.() ?? new Date()).toISOString();
  }

  private connectionChanged(connection: Connection): void {
    this.connection = connection;
    if (connection.kind !== "live") this.fold.meet(null);
    this.publishSoon();
  }

  private publishSoon(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    (this.options.schedule ?? queueMicrotask)(() => this.publish());
  }

  private publish(): void {
    this.scheduled = false;
    this.current = { view: this.fold.view(), connection: this.connection, loaded: this.loaded };
    for (const listener of this.listeners) listener();
  }
}
