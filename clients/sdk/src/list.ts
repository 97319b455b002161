import type { ListFrame, SessionSummary } from "@outrider/protocol";

import { Feed, type Connection, type Socket } from "./feed";

/** Which sessions a list has. What is empty asks for nothing. */
export interface Wanted {
  /** None: all but archived ones. */
  readonly states: readonly string[];
  readonly repository: string;
  readonly person: string;
  /** In the title, or asked or said in the session: only the server knows. */
  readonly text: string;
}

export const EVERYTHING: Wanted = { states: [], repository: "", person: "", text: "" };

/** Whether the list has this row, as far as a row can say. */
export function hasRow(wanted: Wanted, row: SessionSummary): boolean {
  const at = wanted.states.length > 0 ? wanted.states.includes(row.status) : row.status !== "archived";
  return at && ["", row.repository].includes(wanted.repository) && ["", row.author].includes(wanted.person);
}

/** The list after some rows changed. A row that is older than what is here changes nothing. */
export function withRows(
  list: readonly SessionSummary[],
  changed: readonly SessionSummary[],
  wanted: Wanted,
): readonly SessionSummary[] {
  const rows = new Map(list.map((row) => [row.id, row]));
  for (const row of changed) {
    const known = rows.get(row.id);
    if (known ? known.seq > row.seq : wanted.text !== "") continue; // what has the words, only the server knows
    if (hasRow(wanted, row)) rows.set(row.id, row);
    else rows.delete(row.id);
  }
  return [...rows.values()].sort(byPlace);
}

/** Pinned ones first, then the newest change first: as the server lists them. */
function byPlace(one: SessionSummary, other: SessionSummary): number {
  if (one.pinned !== other.pinned) return one.pinned ? -1 : 1;
  const [at, otherAt] = [Date.parse(one.updated_at), Date.parse(other.updated_at)];
  if (at !== otherAt) return otherAt - at;
  return one.id < other.id ? 1 : -1;
}

const MOST_KEPT = 1_000;

export interface LiveListOptions {
  /** Where the WebSocket is, such as `ws://localhost:4100`. */
  readonly origin: string;
  readonly probe: () => Promise<unknown>;
  /** Every list is to be asked for again: something may have been missed. */
  readonly stale: () => void;
  readonly rows: (rows: readonly SessionSummary[]) => void;
  readonly openSocket?: (url: string) => Socket;
}

/**
 * What changes in any list of sessions, for as long as it is open.
 *
 * It is told only what comes after its attach, so lists are read after that, and again after every new attach. Rows that
 * came while a list was read are newer than what was read: `kept` has them.
 */
export class LiveList {
  private readonly feed: Feed<ListFrame>;
  private readonly newest = new Map<string, SessionSummary>();

  constructor(private readonly options: LiveListOptions) {
    this.feed = new Feed<ListFrame>({
      url: () => `${options.origin}/api/feed`,
      after: () => 0,
      take: (frame) => this.take(frame),
      changed: (connection) => this.changed(connection),
      probe: options.probe,
      ...(options.openSocket && { openSocket: options.openSocket }),
    });
  }

  /** The newest rows that were told since the attach. */
  get kept(): readonly SessionSummary[] {
    return [...this.newest.values()];
  }

  open(): void {
    this.feed.open();
  }

  close(): void {
    this.feed.close();
  }

  readonly nudge = (): void => this.feed.nudge();

  private take(frame: ListFrame): boolean {
    if (frame.kind !== "rows") return true;
    for (const row of frame.sessions) {
      this.newest.delete(row.id);
      this.newest.set(row.id, row);
    }
    for (const id of this.newest.keys()) {
      if (this.newest.size <= MOST_KEPT) break;
      this.newest.delete(id);
    }
    this.options.rows(frame.sessions);
    return true;
  }

  private changed(connection: Connection): void {
    if (connection.kind !== "live") return;
    this.options.stale();
  }
}
