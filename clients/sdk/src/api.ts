import type {
  Attachment,
  AttachmentRef,
  Build,
  BuildAnswer,
  Held,
  ImageList,
  Invite,
  InviteList,
  InviteMade,
  Joined,
  LimitList,
  LimitUse,
  LinkShown,
  Me,
  Member,
  MemberList,
  NewChild,
  NewInvite,
  NewSession,
  Person,
  PoolReport,
  PromptAccepted,
  PullRequest,
  PullRequestAnswer,
  PullRequestList,
  PullRequestPage,
  Repository,
  RepositoryList,
  SearchHit,
  SearchHits,
  SessionList,
  SessionStarted,
  SessionSummary,
  Typing,
} from "@outrider/protocol";

import { EVERYTHING, type Wanted } from "./list";
import { Problem } from "./problem";
import { parse, refusal } from "./refusal";
import { sendFile } from "./upload";

/** A queued prompt as it should be. */
export interface EditedPrompt {
  readonly text: string;
  /** All that it should bring. */
  readonly attachments: readonly AttachmentRef[];
  /** The one that the person has seen. */
  readonly revision: number;
}

type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** The control plane over HTTP. Every failure is a `Problem`. */
export class Api {
  constructor(
    private readonly base: string = "",
    private readonly fetch: typeof globalThis.fetch = (input, init) => globalThis.fetch(input, init),
  ) {}

  me(): Promise<Me> {
    return this.ask("GET", "/api/me");
  }

  /** End this browser's login. */
  logOut(): Promise<void> {
    return this.ask("POST", "/api/logout");
  }

  /** Pinned sessions first, then the newest change first. */
  async sessions(wanted: Wanted = EVERYTHING, limit = 100): Promise<readonly SessionSummary[]> {
    const answer = await this.ask<SessionList>("GET", `/api/sessions?${queryOf(wanted, limit)}`);
    return answer.sessions;
  }

  /** Passages of sessions that hold all the words, best first; the last word may be a beginning. */
  async search(wanted: Wanted, limit = 30): Promise<readonly SearchHit[]> {
    const query = queryOf({ ...wanted, text: "" }, limit);
    query.set("q", wanted.text);
    const answer = await this.ask<SearchHits>("GET", `/api/search?${query}`);
    return answer.hits;
  }

  /** The address of a session's whole story, as a file. */
  transcriptUrl(session: string, format: "markdown" | "json"): string {
    return `${this.base}${this.path(session, "transcript")}?format=${format}`;
  }

  session(session: string): Promise<SessionSummary> {
    return this.ask("GET", this.path(session));
  }

  /** Begin a session; the answer is its id. */
  async createSession(what: NewSession): Promise<string> {
    const answer = await this.ask<SessionStarted>("POST", "/api/sessions", what);
    return answer.session;
  }

  /** Somebody is about to begin a session: a warm sandbox is held for a while where there is one. */
  typing(what: Typing): Promise<Held> {
    return this.ask("POST", "/api/warm", what);
  }

  async repositories(): Promise<readonly Repository[]> {
    const answer = await this.ask<RepositoryList>("GET", "/api/repositories");
    return answer.repositories;
  }

  async pullRequests(): Promise<readonly PullRequest[]> {
    const answer = await this.ask<PullRequestList>("GET", "/api/pull-requests");
    return answer.pull_requests;
  }

  pullRequest(repository: string, number: number): Promise<PullRequestPage> {
    return this.ask("GET", pullPath(repository, number));
  }

  async merge(repository: string, number: number): Promise<PullRequest> {
    const answer = await this.ask<PullRequestAnswer>("POST", `${pullPath(repository, number)}/merge`);
    return answer.pull_request;
  }

  async close(repository: string, number: number): Promise<PullRequest> {
    const answer = await this.ask<PullRequestAnswer>("POST", `${pullPath(repository, number)}/close`);
    return answer.pull_request;
  }

  /** Start a session below this one; the answer is its id. The same key again is the same session. */
  async spawn(session: string, wanted: NewChild): Promise<string> {
    return (await this.ask<SessionStarted>("POST", this.path(session, "children"), wanted)).session;
  }

  /** Queue a prompt. The same key again is the same prompt, so a retry is harmless. */
  sendPrompt(session: string, text: string, key: string, files: readonly AttachmentRef[] = []): Promise<PromptAccepted> {
    const attachments = files.length > 0 ? { attachments: files } : {};
    return this.ask("POST", this.path(session, "prompts"), { text, key, ...attachments });
  }

  /** Send a file that a prompt will name. `onProgress` hears how much is sent, from 0 to 1. */
  upload(
    file: Blob,
    name: string,
    key: string,
    onProgress: (share: number) => void,
    signal: AbortSignal,
  ): Promise<Attachment> {
    const url = `${this.base}/api/attachments?name=${encodeURIComponent(name)}`;
    return sendFile({ url, file, key, onProgress, signal });
  }

  /** The address of a file of one of the session's prompts. */
  attachmentUrl(session: string, attachment: string): string {
    return this.base + this.path(session, "attachments", attachment);
  }

  /** Give a queued prompt another text and other files; `revision` is the one that the person has seen. */
  editPrompt(session: string, prompt: string, what: EditedPrompt): Promise<void> {
    return this.ask("PATCH", this.path(session, "prompts", prompt), what);
  }

  withdraw(session: string, prompt: string): Promise<void> {
    return this.ask("DELETE", this.path(session, "prompts", prompt));
  }

  /** Give a queued prompt another place; 0 is next. */
  move(session: string, prompt: string, position: number): Promise<void> {
    return this.ask("POST", this.path(session, "prompts", prompt, "move"), { position });
  }

  /** A prompt is being typed: a sandbox that sleeps wakes. */
  typingIn(session: string): Promise<unknown> {
    return this.ask("POST", this.path(session, "typing"));
  }

  /** Stop the running turn and run this prompt next. */
  steer(session: string, prompt: string): Promise<void> {
    return this.ask("POST", this.path(session, "prompts", prompt, "steer"));
  }

  /** Stop the running turn; with `children`, also those of the sessions that it started, and of theirs. */
  stop(session: string, children = false): Promise<void> {
    return this.ask("POST", this.path(session, "stop"), { children });
  }

  /** Allow the sandbox a host, in this session or in all of its repository. */
  allowHost(session: string, host: string, scope: "session" | "repository" = "session"): Promise<void> {
    return this.ask("POST", this.path(session, "egress"), { host, scope });
  }

  /** Take it back. */
  forbidHost(session: string, host: string, scope: "session" | "repository" = "session"): Promise<void> {
    return this.ask("DELETE", `${this.path(session, "egress")}/${encodeURIComponent(host)}?scope=${scope}`);
  }

  rename(session: string, title: string): Promise<unknown> {
    return this.ask("POST", this.path(session, "rename"), { title });
  }

  /** At the top of everybody's list, or no longer. */
  pin(session: string, pinned: boolean): Promise<unknown> {
    return this.ask("POST", this.path(session, pinned ? "pin" : "unpin"));
  }

  /** Put the session away; with `stop` its turn is stopped first, and what waits is taken back. */
  archive(session: string, stop: boolean, children = false): Promise<unknown> {
    return this.ask("POST", this.path(session, "archive"), { stop, children });
  }

  unarchive(session: string): Promise<unknown> {
    return this.ask("POST", this.path(session, "unarchive"));
  }

  /** The people of a session, and what you may in it. */
  members(session: string): Promise<MemberList> {
    return this.ask("GET", this.path(session, "members"));
  }

  /** Give a person a role; the name is for who is no member yet. */
  async setRole(session: string, email: string, role: Member["role"], name?: string): Promise<void> {
    await this.ask("PUT", this.path(session, "members", email), { role, ...(name && { name }) });
  }

  /** Send a member away, or leave. */
  async removeMember(session: string, email: string): Promise<void> {
    await this.ask("DELETE", this.path(session, "members", email));
  }

  /** Make a link by which people join. Its address is shown this once. */
  makeLink(session: string, wanted: NewInvite): Promise<InviteMade> {
    return this.ask("POST", this.path(session, "links"), wanted);
  }

  async links(session: string): Promise<readonly Invite[]> {
    return (await this.ask<InviteList>("GET", this.path(session, "links"))).invites;
  }

  revokeLink(session: string, link: string): Promise<void> {
    return this.ask("DELETE", this.path(session, "links", link));
  }

  /** What a link leads to. */
  lookAtLink(token: string): Promise<LinkShown> {
    return this.ask("POST", "/api/join/look", { token });
  }

  /** Follow a link; without a login, as this person. */
  join(token: string, person: Person | null): Promise<Joined> {
    return this.ask("POST", "/api/join", { token, person });
  }

  /** Branches with their images and builds. */
  images(): Promise<ImageList> {
    return this.ask("GET", "/api/images");
  }

  /** Ask for a build of a branch's image. One that waits already is the answer. */
  async buildImage(repository: string, branch: string): Promise<Build> {
    return (await this.ask<BuildAnswer>("POST", "/api/images/builds", { repository, branch })).build;
  }

  async cancelBuild(build: string): Promise<Build> {
    return (await this.ask<BuildAnswer>("POST", `${buildPath(build)}/cancel`)).build;
  }

  /** The log of a build from its first line, as it comes, until the build is over. */
  async *buildLog(build: string, signal: AbortSignal): AsyncGenerator<string> {
    const response = await this.send("GET", `${buildPath(build)}/log`, undefined, signal);
    if (!response.ok) throw refusal(response.status, await response.text());
    for await (const line of linesOf(response)) {
      const told = parse(line) as { line?: string } | undefined;
      if (told?.line !== undefined) yield told.line;
    }
  }

  /** The warm pool as it is now. */
  pool(): Promise<PoolReport> {
    return this.ask("GET", "/api/pool");
  }

  /** What is in force, and how much of it you or all use now. */
  async limits(): Promise<readonly LimitUse[]> {
    return (await this.ask<LimitList>("GET", "/api/limits")).limits;
  }

  /** Bring files, commits and the engine's memory back to the end of a turn. */
  async rewind(session: string, turn: string): Promise<void> {
    await this.ask("POST", this.path(session, "rewind"), { turn });
  }

  /** Start a session that goes on from another one's turn; the answer is its id. */
  async fork(session: string, turn: string): Promise<string> {
    return (await this.ask<SessionStarted>("POST", this.path(session, "fork"), { turn })).session;
  }

  /** The address of a kept file, such as the log of a check. */
  artifactUrl(session: string, artifact: string): string {
    return this.base + this.path(session, "artifacts", artifact);
  }

  private path(session: string, ...rest: readonly string[]): string {
    return ["/api/sessions", ...[session, ...rest].map(encodeURIComponent)].join("/");
  }

  private async ask<T>(method: Method, path: string, body?: unknown): Promise<T> {
    const response = await this.send(method, path, body);
    const text = await response.text();
    if (!response.ok) throw refusal(response.status, text);
    return parse(text) as T;
  }

  private async send(method: Method, path: string, body: unknown, signal?: AbortSignal): Promise<Response> {
    const init: RequestInit = { method, credentials: "same-origin", ...(signal && { signal }) };
    if (body !== undefined) {
      init.body = JSON.stringify(body);
      init.headers = { "content-type": "application/json" };
    }
    try {
      return await this.fetch(this.base + path, init);
    } catch {
      throw new Problem("The server does not answer.", "See whether `outrider up` is running.");
    }
  }
}

/** Lines of an answer as they come. */
async function* linesOf(response: Response): AsyncGenerator<string> {
  if (!response.body) return;
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    const lines = (rest + part.value).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
  if (rest) yield rest;
}

function queryOf(wanted: Wanted, limit: number): URLSearchParams {
  const { states, ...words } = wanted;
  const query = new URLSearchParams({ limit: String(limit) });
  for (const state of states) query.append("state", state);
  for (const [name, value] of Object.entries(words) as [string, string][]) if (value) query.set(name, value);
  return query;
}

function buildPath(build: string): string {
  return `/api/images/builds/${encodeURIComponent(build)}`;
}

function pullPath(repository: string, number: number): string {
  return `/api/pull-requests/${encodeURIComponent(repository)}/${number}`;
}
