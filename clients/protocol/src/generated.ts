// Generated from the pydantic models by scripts/generate_protocol.py. Do not edit: change the model and run it again.

/** It was done; `seq` is the number of its first event, 0 for none. */
export interface Accepted {
  readonly seq: number;
}

/** The client's command with this `ref` was carried out; `seq` is the number of its first event, 0 for none. */
export interface AcceptedFrame {
  readonly kind: "accepted";
  readonly ref: string;
  readonly seq: number;
  readonly prompt: string | null;
}

/** The session is to be archived as soon as its turn has stopped and its files are kept. It takes no more prompts; what waited was taken back. */
export interface ArchiveRequested {
  readonly type: "archive_requested";
  readonly by: Person;
}

/** A file of a prompt. `id` is derived from its bytes, `media_type` is what they look like. */
export interface Attachment {
  readonly id: string;
  readonly name: string;
  readonly media_type: string;
  /** In bytes */
  readonly size: number;
}

/** A file that was uploaded, by its id, and the name that it has in this prompt. */
export interface AttachmentRef {
  readonly id: string;
  readonly name: string;
}

/** The author of a prompt, and by what way it came. */
export interface Author {
  readonly person: Person;
  readonly via: string;
}

/** How a branch of a repository is served: its newest usable image, and its newest build. */
export interface BranchImages {
  readonly repository: string;
  readonly branch: string;
  /** None: sessions start cold */
  readonly image: RepositoryImage | null;
  readonly build: Build | null;
}

/** The branch stands on the forge at this commit. */
export interface BranchPushed {
  readonly type: "branch_pushed";
  readonly branch: string;
  readonly head: string;
}

/** The making of a repository's image. */
export interface Build {
  readonly id: string;
  readonly repository: string;
  readonly branch: string;
  /** What asked for it, such as “the branch moved” */
  readonly why: string;
  /** From the machine image, not on the last image of the branch */
  readonly full: boolean;
  readonly state: BuildState;
  /** Once it is known what is built */
  readonly commit: string | null;
  /** What came of it, or why it failed, in a sentence */
  readonly detail: string;
  /** The last lines of its log */
  readonly log_tail: string;
  readonly queued_at: string;
  readonly started_at: string | null;
  readonly ended_at: string | null;
  /** How long it ran */
  readonly seconds: number | null;
}

/** A build as it is now. */
export interface BuildAnswer {
  readonly build: Build;
}

/** Where a build is, in the words shown to people. */
export type BuildState = "queued" | "running" | "done" | "failed" | "cancelled";

/** What became of one test. `error` means that it did not import or collect: weaker than `failed`. */
export type CaseOutcome = "passed" | "failed" | "error" | "skipped";

/** One test id across `before` and `after`. */
export interface CaseProof {
  readonly check: string;
  readonly case: string;
  readonly before: CaseOutcome;
  readonly after: CaseOutcome;
}

/** One file. `added` and `deleted` are lines; None for a binary file, or where they are not known. */
export interface ChangedFile {
  readonly path: string;
  readonly kind: "added" | "changed" | "deleted";
  readonly added: number | null;
  readonly deleted: number | null;
}

/** All files that differ, in the order of their paths; `count` says how many there are where some are left out. */
export interface Changes {
  readonly base: string;
  readonly files: readonly ChangedFile[];
  readonly count: number;
  /** Lines, of all files together */
  readonly added: number;
  readonly deleted: number;
}

/** The files that differ from the base commit now. Not stored: each attach tells what was told last, or None where nothing is known; then the files of the newest `work_collected` that no rewind has undone are what there is. */
export interface ChangesFrame {
  readonly kind: "changes";
  readonly changes: Changes | null;
}

/** One check of the recipe, run once in a fresh image. */
export interface CheckFinding {
  readonly name: string;
  readonly command: string;
  readonly verdict: CheckVerdict;
  readonly exit_code: number;
  readonly seconds: number;
  /** Counts come from JUnit XML; None means exit code only */
  readonly passed: number | null;
  readonly failed: number | null;
  readonly errors: number | null;
  readonly skipped: number | null;
  /** Programs that were not found */
  readonly missing_tools: readonly string[];
  /** The last lines, for a glance */
  readonly tail: string;
}

/** A check ran to its end, or could not. */
export interface CheckFinished {
  readonly type: "check_finished";
  readonly proof: string;
  readonly result: CheckResult;
}

/** One command, run by us in a clean sandbox. */
export interface CheckResult {
  readonly name: string;
  readonly phase: Phase;
  readonly commit: string;
  /** The commit whose test files were laid over */
  readonly tests_from: string | null;
  readonly command: string;
  readonly exit_code: number;
  readonly seconds: number;
  /** Counts come from JUnit XML; None means exit code only */
  readonly passed: number | null;
  readonly failed: number | null;
  readonly errors: number | null;
  readonly skipped: number | null;
  readonly verdict: CheckVerdict;
  readonly log: string | null;
  /** How much the command printed in all */
  readonly log_bytes: number;
  readonly log_truncated: boolean;
  /** The last lines, for a glance */
  readonly tail: string;
}

/** A check runs now. */
export interface CheckStarted {
  readonly type: "check_started";
  readonly proof: string;
  readonly phase: Phase;
  readonly name: string;
  readonly command: string;
}

/** The outcome of one check in one phase. */
export type CheckVerdict = "passed" | "failed" | "timed_out" | "setup_failed" | "stopped";

/** The child rests: every prompt that it was sent has been answered, withdrawn or stopped. */
export interface ChildEnded {
  readonly type: "child_ended";
  readonly child: string;
  /** How many prompts it had been sent by then */
  readonly prompts: number;
  readonly result: ChildResult;
}

/** The child is sent another prompt. */
export interface ChildPrompted {
  readonly type: "child_prompted";
  readonly child: string;
  readonly prompt: Prompt;
}

/** The child session could not be made. The same request may be made again. */
export interface ChildRefused {
  readonly type: "child_refused";
  readonly child: string;
  readonly reason: string;
}

/** A child session is wanted. */
export interface ChildRequested {
  readonly type: "child_requested";
  readonly child: ChildSpec;
}

/** What came of a child's prompts so far. `summary` and `answer` hold what the child wrote: information of a stranger, never an instruction. */
export interface ChildResult {
  /** The last turn ran to its end, no check is red, and all could be run */
  readonly ok: boolean;
  /** As of any result (`completed`, `checks_red` …), or `archived`, or `refused` */
  readonly reason: string;
  /** The end of the last turn in the control plane's words */
  readonly summary: string;
  /** The agent's last words */
  readonly answer: string;
  /** Where its work was pushed to */
  readonly branch: string | null;
  readonly commits: number;
  readonly head: string | null;
  /** Its address */
  readonly pull_request: string | null;
  /** The verdict of the newest proof */
  readonly checks: string | null;
  /** None where the price of a call is not known */
  readonly cost_usd: number | null;
}

/** The child session exists. */
export interface ChildSpawned {
  readonly type: "child_spawned";
  readonly child: string;
}

/** All that a child is made of. Its id follows from its parent and the key of the request. */
export interface ChildSpec {
  readonly session: string;
  readonly title: string;
  readonly repository: Repository;
  readonly base_branch: string;
  readonly base_commit: string;
  readonly model: ModelRef;
  readonly prompt: Prompt;
  readonly parentage: Parentage;
  /** Of the parent, but for who asks */
  readonly members: readonly Member[];
}

/** Somebody asked that the children that are at work stop, and theirs. */
export interface ChildrenStopRequested {
  readonly type: "children_stop_requested";
  readonly children: readonly string[];
  readonly by: Person;
}

/** Layers that were deleted because nothing needed them any more. */
export interface Collected {
  readonly at: string;
  readonly layers: number;
  /** What they took on the disk; files that layers shared count in each */
  readonly bytes: number;
}

/** One commit as the control plane read it from a repository of its own. */
export interface Commit {
  readonly sha: string;
  readonly author: Person;
  readonly subject: string;
}

/** More text of an open message, at character `offset`; not stored. It stands after event `after_seq`. */
export interface DeltaFrame {
  readonly kind: "delta";
  readonly turn: string;
  readonly message: string;
  readonly speaker: Speaker;
  readonly offset: number;
  readonly text: string;
  readonly after_seq: number;
}

/** A first job that always works: the rehearsal's prompt and the repository that it plays in. */
export interface Demo {
  readonly repository: string;
  readonly prompt: string;
}

/** What the checks of a repository say in its image, before anybody has touched anything. */
export interface Diagnosis {
  readonly checks: readonly CheckFinding[];
  /** Services that did not get ready */
  readonly skipped_services: readonly string[];
  /** Why nothing was run, where nothing was */
  readonly notice: string;
  readonly at: string;
  readonly seconds: number;
}

/** The part of an open message that is not stored yet: `text` begins at character `offset` of the message. */
export interface Draft {
  readonly turn: string;
  readonly message: string;
  readonly speaker: Speaker;
  readonly offset: number;
  readonly text: string;
}

/** All open drafts at the moment of the attach. */
export interface DraftsFrame {
  readonly kind: "drafts";
  readonly drafts: readonly Draft[];
}

/** Give a queued prompt another text; `revision` is the one that the person has seen. */
export interface EditFrame {
  readonly kind: "edit";
  readonly ref: string;
  /** The same key again is the same request */
  readonly key: string | null;
  readonly prompt: string;
  readonly revision: number;
  readonly text: string;
  readonly attachments: readonly AttachmentRef[] | null;
}

/** What one sandbox may reach, beside what the operator allows every sandbox. `hosts` were allowed by somebody who may. `asked` are hosts that the recipe names and that need a yes yet: they are refused, and the refusal says so. With a `repository`, the hosts on its list in the catalog count too, as they are when a connection is made. */
export interface EgressPolicy {
  readonly presets: readonly EgressPreset[];
  readonly hosts: readonly string[];
  readonly asked: readonly string[];
  readonly repository: string | null;
}

/** Hosts that belong together, known by one word. */
export type EgressPreset = "pypi" | "npm" | "debian" | "crates" | "go" | "rubygems" | "maven" | "github-read";

/** The sandbox was refused a host: told once a host and turn. `rule` is what would allow it. */
export interface EgressRefused {
  readonly type: "egress_refused";
  readonly host: string;
  readonly port: number;
  /** Completes “…, because” */
  readonly why: string;
  readonly rule: string;
  /** Whether a person may allow it; else only whoever runs the server */
  readonly allowable: boolean;
}

/** The engine runs and has its session. */
export interface EngineAttached {
  readonly type: "engine_attached";
  readonly engine: string;
  readonly engine_session: string;
  readonly how: "new" | "resumed" | "reseeded";
}

/** The engine says that it is done with this round. */
export interface EngineFinished {
  readonly type: "engine_finished";
  readonly turn: string;
  readonly round: number;
  readonly stop: EngineStop;
}

/** The checks were red, and the engine was told so within the same turn. */
export interface EngineReprompted {
  readonly type: "engine_reprompted";
  readonly turn: string;
  readonly round: number;
  readonly text: string;
}

/** Why the engine's turn ended: ACP's stop reasons. */
export type EngineStop = "end_turn" | "max_tokens" | "max_turn_requests" | "refusal" | "cancelled";

/** The engine was told this in the middle of its round: that the files it had read have moved. */
export interface EngineTold {
  readonly type: "engine_told";
  readonly turn: string;
  readonly text: string;
}

/** Stored events in order. */
export interface EventsFrame {
  readonly kind: "events";
  readonly events: readonly Recorded[];
}

/** The pull request shows this proof. */
export interface EvidenceAttached {
  readonly type: "evidence_attached";
  readonly number: number;
  readonly proof: string;
}

/** What a change does to one file. `added` and `deleted` are lines; None for a binary file. */
export interface FileChange {
  readonly path: string;
  readonly added: number | null;
  readonly deleted: number | null;
  /** Logs of the first release say “changed” of all files */
  readonly kind: "added" | "changed" | "deleted";
}

/** What is held for the person. */
export interface Held {
  /** False where nothing can be held: the session starts without */
  readonly held: boolean;
  /** False while it still starts */
  readonly ready: boolean;
  /** After this it is anybody's again, unless typing is told once more */
  readonly seconds: number;
}

/** What others see of this client: whether its person types. While they do, say it again every 5 seconds. */
export interface HereFrame {
  readonly kind: "here";
  readonly ref: string;
  readonly typing: boolean;
}

/** A person allowed a host to the sandbox, from its next connection on. */
export interface HostAllowed {
  readonly type: "host_allowed";
  readonly host: string;
  readonly by: Person;
  readonly scope: "session" | "repository";
}

/** A person took a host back that had been allowed: the sandbox may not reach it, from its next connection on. */
export interface HostForbidden {
  readonly type: "host_forbidden";
  readonly host: string;
  readonly by: Person;
  readonly scope: "session" | "repository";
}

/** Branches with an image or a build, by name. `builds_here` is False where none are built. */
export interface ImageList {
  readonly images: readonly BranchImages[];
  readonly builds_here: boolean;
  /** When old layers were last deleted, since the server's start */
  readonly collected: Collected | null;
}

/** A link to one session, as owners see it. The link itself is shown once, when it is made. */
export interface Invite {
  readonly id: string;
  readonly session: string;
  readonly role: "viewer" | "prompter" | "owner";
  readonly by: Person;
  readonly made_at: string;
  readonly expires_at: string;
  /** How many people may follow it */
  readonly uses: number;
  readonly used: number;
}

/** Links that can still be followed, oldest first. */
export interface InviteList {
  readonly invites: readonly Invite[];
}

/** The link, shown this once. */
export interface InviteMade {
  readonly url: string;
  readonly invite: Invite;
}

/** How strong the wall is, in the words shown to people. */
export type Isolation = "vm" | "user-kernel" | "shared-kernel";

/** You are in. */
export interface Joined {
  readonly session: string;
  readonly role: "viewer" | "prompter" | "owner";
}

/** What a turn that was stopped, or failed, left: nothing of it is lost. */
export interface KeptWork {
  /** The newest commit of the workspace */
  readonly head: string;
  /** Commits of this turn */
  readonly commits: number;
  /** Where the commits were pushed; empty: nowhere yet */
  readonly branch: string;
  /** Files of the workspace that are not committed, as it says */
  readonly uncommitted: number;
  /** Some of them by name */
  readonly files: readonly string[];
}

/** What follows at once was asked for under this key: the same again is answered as before and not done twice. */
export interface KeyUsed {
  readonly type: "key_used";
  readonly key: string;
  /** Of what was asked for */
  readonly digest: string;
  readonly by: Person;
}

/** What the deployment lets people do. */
export interface LimitList {
  readonly limits: readonly LimitUse[];
}

/** Who enforces the limits: the kernel's cgroups, or rlimits and our watchdog. */
export type LimitTier = "cgroup" | "rlimit+watchdog";

/** A limit and how much of it is used now, by who asks or by everybody. */
export interface LimitUse {
  /** The variable that sets it */
  readonly setting: string;
  readonly what: string;
  readonly per: "deployment" | "person" | "tree" | "session" | "prompt" | "sandbox";
  /** None: there is no such limit */
  readonly value: number | null;
  readonly unit: "count" | "bytes" | "seconds" | "dollars";
  /** None where it is not counted */
  readonly used: number | null;
  /** When a full rate has room again */
  readonly until: string | null;
}

/** What a link leads to. */
export interface LinkShown {
  readonly title: string;
  readonly role: "viewer" | "prompter" | "owner";
  readonly by: Person;
  /** Who you are logged in as; null: say who you are to join */
  readonly you: Person | null;
}

/** The client has everything up to `seq`; what follows is live. */
export interface LiveFrame {
  readonly kind: "live";
  readonly seq: number;
}

/** The log was damaged. What could be read from its beginning on is here; what came after is lost to the session, so nothing that was under way goes on by itself. */
export interface LogSalvaged {
  readonly type: "log_salvaged";
  /** Events that could be read */
  readonly kept: number;
  /** Where the damaged file was put */
  readonly place: string;
  readonly reason: string;
}

/** Who is logged in, and what this deployment can do. */
export interface Me {
  readonly person: Person;
  readonly version: string;
  /** Whether sessions that name no model run on the rehearsal model */
  readonly rehearsal: boolean;
  readonly default_model: string;
  readonly models: readonly string[];
  /** What makes the sandboxes; null where none works */
  readonly provider: string | null;
  readonly isolation: string | null;
  readonly limit_tier: string | null;
  /** Files that come with one prompt */
  readonly most_attachments: number;
  /** Size of one of them */
  readonly attachment_bytes: number;
  readonly demo: Demo | null;
  /** Whether you were invited to single sessions and nothing else */
  readonly guest: boolean;
}

/** A person with a role in one session. A guest came by a link and has no login of their own. */
export interface Member {
  readonly person: Person;
  readonly role: "viewer" | "prompter" | "owner";
  readonly guest: boolean;
}

/** A person is a member of the session from now on. Who started it is one from the first event on. */
export interface MemberJoined {
  readonly type: "member_joined";
  readonly person: Person;
  readonly role: "viewer" | "prompter" | "owner";
  /** Came by a link, without a login of their own */
  readonly guest: boolean;
  /** Who added them, or made the link that they followed */
  readonly by: Person | null;
}

/** A person is no member any more, by their own wish or an owner's. */
export interface MemberLeft {
  readonly type: "member_left";
  readonly person: Person;
  readonly by: Person;
}

/** The people of a session. */
export interface MemberList {
  readonly members: readonly Member[];
  /** The role of whoever is logged in and no member; null: they see nothing */
  readonly others: "viewer" | "prompter" | "owner" | null;
  readonly yours: "viewer" | "prompter" | "owner";
}

/** `PROVIDER/NAME`, such as `anthropic/claude-sonnet-4-5`, `openai/gpt-5.1` or `rehearsal/demo`. */
export interface ModelRef {
  readonly provider: string;
  readonly name: string;
}

/** Give a queued prompt another place; 0 is next. */
export interface MoveFrame {
  readonly kind: "move";
  readonly ref: string;
  /** The same key again is the same request */
  readonly key: string | null;
  readonly prompt: string;
  readonly position: number;
}

/** Start a child session. What is left out is the parent's. */
export interface NewChild {
  /** Checked by `check_prompt_text` */
  readonly prompt: string;
  /** The name of a known repository */
  readonly repository?: string | null;
  readonly branch?: string | null;
  readonly model?: string | null;
  readonly title?: string | null;
  /** The same key is the same child */
  readonly key?: string | null;
  /** Only with the owner's token */
  readonly author?: Person | null;
}

/** A link to the session. */
export interface NewInvite {
  readonly role?: "viewer" | "prompter" | "owner";
  /** How long it can be followed */
  readonly hours?: number;
  /** How many people may follow it */
  readonly uses?: number;
}

/** Where in the queue; 0 is next. */
export interface NewPlace {
  readonly position: number;
}

/** Queue a prompt. */
export interface NewPrompt {
  /** Checked by `check_prompt_text` */
  readonly text: string;
  /** What was uploaded before */
  readonly attachments?: readonly AttachmentRef[];
  readonly key?: string | null;
  /** Only with the owner's token */
  readonly author?: Person | null;
}

/** Start a session. */
export interface NewSession {
  /** Path, URL, or the name of a known repository */
  readonly repository: string;
  readonly branch?: string | null;
  readonly model?: string | null;
  /** Checked by `check_prompt_text` */
  readonly prompt: string;
  readonly title?: string | null;
  /** What was uploaded before */
  readonly attachments?: readonly AttachmentRef[];
  /** The same key again is the same session */
  readonly key?: string | null;
  /** Only with the owner's token */
  readonly author?: Person | null;
}

/** Where a child session stands: who started it, and what it may not go beyond. */
export interface Parentage {
  readonly session: string;
  /** The session at the top of the tree, which no session started */
  readonly root: string;
  /** 1 for a child of the root */
  readonly depth: number;
  /** What its ancestors could reach when it was started */
  readonly within: readonly EgressPolicy[];
}

/** The engine wants to know whether it may run a tool. */
export interface PermissionAsk {
  readonly tool_call: string;
  readonly title: string;
  readonly kind: ToolKind;
}

/** The engine asked whether it may run a tool and was answered by our policy. */
export interface PermissionDecided {
  readonly type: "permission_decided";
  readonly turn: string;
  readonly ask: PermissionAsk;
  readonly allowed: boolean;
}

/** Who did something. Name and email are what git writes into a commit. */
export interface Person {
  readonly name: string;
  readonly email: string;
}

/** Which of the three runs. */
export type Phase = "base" | "before" | "after";

/** The agent's plan is now this. */
export interface PlanChanged {
  readonly type: "plan_changed";
  readonly turn: string;
  readonly entries: readonly PlanEntry[];
}

/** One line of the agent's plan. */
export interface PlanEntry {
  readonly text: string;
  readonly status: "pending" | "in_progress" | "completed";
}

/** What the pool has done since the server started. */
export interface PoolCounts {
  /** Sessions that got a warm sandbox */
  readonly hits: number;
  /** Sessions that got none, by the reason */
  readonly misses: Readonly<Record<string, number>>;
  readonly started: number;
  /** Starts that came to nothing */
  readonly failed: number;
  /** Warm sandboxes that no session got, by the reason */
  readonly dropped: Readonly<Record<string, number>>;
  /** Of the last hundred starts */
  readonly refill_seconds_median: number | null;
  readonly refill_seconds_last: number | null;
}

/** The pool as it is now. */
export interface PoolReport {
  readonly at: string;
  /** Warm sandboxes at once; 0: the pool is off */
  readonly most: number;
  /** What the machine, or its control group, has left */
  readonly memory_left_bytes: number;
  /** Whether memory is so short that the pool shrinks */
  readonly pressed: boolean;
  readonly sandboxes: readonly WarmView[];
  /** How many there should be, by repository and branch */
  readonly targets: Readonly<Record<string, number>>;
  readonly counts: PoolCounts;
  readonly hit_rate: number | null;
  readonly last_failure: string;
  /** Why none may be started now: disk or memory is short */
  readonly short: string;
}

/** Who watches now: how many, how many of them type, and the first of them. Not stored; the last one is true. */
export interface PresenceFrame {
  readonly kind: "presence";
  readonly people: readonly Watching[];
  readonly count: number;
  readonly typing: number;
}

/** A port on which what is being built can be looked at. */
export interface PreviewSpec {
  /** Lower case letters, digits and dashes; unique */
  readonly name: string;
  /** The loopback port in the sandbox */
  readonly port: number;
}

/** The repository's recipe names these ports of the sandbox as worth looking at. */
export interface PreviewsNamed {
  readonly type: "previews_named";
  readonly previews: readonly PreviewSpec[];
}

/** Something went wrong that a person should know. */
export interface ProblemReported {
  readonly type: "problem_reported";
  readonly sentence: string;
  readonly remedy: string;
}

/** How far long work is. Not stored. Who attaches gets the last one, unless something else has happened since. */
export interface ProgressFrame {
  readonly kind: "progress";
  readonly stage: string;
  readonly text: string;
}

/** One message of a person, queued and then answered by one turn. `key` makes sending it twice harmless. */
export interface Prompt {
  readonly id: string;
  readonly author: Author;
  readonly text: string;
  readonly key: string | null;
  readonly attachments: readonly Attachment[];
  /** Counts the texts that it has had while it waited */
  readonly revision: number;
  /** Who gave it its present text, where it was edited */
  readonly edited_by: Person | null;
}

/** The prompt is in the queue. The same key again is answered as before. */
export interface PromptAccepted {
  readonly prompt: string;
  readonly seq: number;
}

/** A waiting prompt says something else now. `author` sent it, `by` changed it. */
export interface PromptEdited {
  readonly type: "prompt_edited";
  readonly prompt: string;
  /** Counts the texts that the prompt has had; 1 is what was sent */
  readonly revision: number;
  readonly text: string;
  readonly attachments: readonly Attachment[];
  readonly author: Person;
  readonly by: Person;
}

/** Queue a prompt. */
export interface PromptFrame {
  readonly kind: "prompt";
  readonly ref: string;
  readonly text: string;
  /** What was uploaded before */
  readonly attachments: readonly AttachmentRef[];
  /** The same key again is the same request */
  readonly key: string | null;
}

/** The prompt is about to be given to the engine: from here on it may have been seen. */
export interface PromptHanded {
  readonly type: "prompt_handed";
  readonly turn: string;
  readonly attempt: number;
  /** 1 is the person's prompt, more are checks that came back red */
  readonly round: number;
}

/** A prompt has another place in the queue; 0 is next. */
export interface PromptMoved {
  readonly type: "prompt_moved";
  readonly prompt: string;
  readonly position: number;
  readonly by: Person;
}

/** A prompt waits for its turn. */
export interface PromptQueued {
  readonly type: "prompt_queued";
  readonly prompt: Prompt;
  /** Its place, where it goes before others; 0 is next */
  readonly position: number | null;
}

/** A prompt left the queue before its turn. */
export interface PromptWithdrawn {
  readonly type: "prompt_withdrawn";
  readonly prompt: string;
  readonly by: Person;
}

/** The evidence about one head commit. */
export interface Proof {
  readonly id: string;
  readonly base: string;
  readonly head: string;
  readonly verdict: ProofVerdict;
  /** One or two plain sentences */
  readonly summary: string;
  readonly results: readonly CheckResult[];
  readonly red_to_green: readonly CaseProof[];
  /** Test ids in base that head lost */
  readonly vanished: readonly string[];
  readonly newly_skipped: readonly string[];
  /** Changed files that say how checks or CI run; the base's were used */
  readonly marked_files: readonly string[];
  /** outrider.toml, or what the checks were detected from */
  readonly recipe_source: string;
  /** Nothing was proved though something was to be; false where no checks are known */
  readonly could_not_run: boolean;
  /** There are no checks, and the setup, run on head in a clean sandbox, failed */
  readonly setup_failed: boolean;
}

/** All runs are in, and this is what they show. */
export interface ProofFinished {
  readonly type: "proof_finished";
  readonly proof: Proof;
}

/** The checks are to run on this head. */
export interface ProofRequested {
  readonly type: "proof_requested";
  readonly proof: string;
  readonly head: string;
  readonly asked_by: "engine" | "turn_end";
}

/** What the three runs together show, strongest first. */
export type ProofVerdict = "fix_proved" | "fix_proved_weakly" | "still_green" | "red" | "not_run";

/** The branch or the pull request could not be published; nothing is lost, the work is in the workspace. */
export interface PublishFailed {
  readonly type: "publish_failed";
  readonly head: string;
  readonly reason: string;
}

/** The branch is to be pushed and a pull request to exist for it. */
export interface PublishRequested {
  readonly type: "publish_requested";
  readonly head: string;
  readonly title: string;
  readonly body: string;
  readonly asked_by: "engine" | "turn_end";
  /** False: only the branch, since the turn did not end well */
  readonly pull_request: boolean;
}

/** A pull request on a forge. */
export interface PullRequest {
  readonly repository: string;
  readonly number: number;
  readonly url: string;
  readonly title: string;
  readonly body: string;
  readonly author: Person;
  readonly base_branch: string;
  readonly head_branch: string;
  readonly base_commit: string;
  readonly head_commit: string;
  readonly state: PullRequestState;
  readonly session: string | null;
  readonly opened_at: string;
}

/** The pull request as it is now. */
export interface PullRequestAnswer {
  readonly pull_request: PullRequest;
}

/** The pull request was merged, closed or reopened on the forge. */
export interface PullRequestChanged {
  readonly type: "pull_request_changed";
  readonly number: number;
  readonly state: PullRequestState;
  readonly by: Person;
}

/** Pull requests, newest first. */
export interface PullRequestList {
  readonly pull_requests: readonly PullRequest[];
}

/** A pull request exists for the branch. */
export interface PullRequestOpened {
  readonly type: "pull_request_opened";
  readonly pull_request: PullRequest;
}

/** All of one pull request. `mergeable` is None where the forge has not said yet. */
export interface PullRequestPage {
  readonly pull_request: PullRequest;
  readonly commits: readonly Commit[];
  readonly files: readonly FileChange[];
  readonly diff: string;
  readonly diff_truncated: boolean;
  readonly proof: Proof | null;
  readonly mergeable: boolean | null;
}

/** What became of a pull request. */
export type PullRequestState = "open" | "merged" | "closed";

/** An event as stored and as sent: its number, from 1, and when. */
export interface Recorded {
  readonly seq: number;
  readonly at: string;
  readonly event: SessionCreated | PromptQueued | PromptWithdrawn | PromptMoved | PromptEdited | KeyUsed | TurnHeld | TurnAdmitted | TranscriptNearlyFull | SandboxRequested | SandboxReady | SyncFinished | SyncFailed | TypingNoticed | SandboxLost | SandboxStopped | SnapshotTaken | SnapshotFailed | SnapshotStored | SnapshotNotStored | SessionRewound | SessionForked | StageReported | ServiceChanged | PreviewsNamed | TurnStarted | EngineAttached | PromptHanded | EngineTold | TextSealed | ToolCallChanged | PlanChanged | ToolLogKept | PermissionDecided | UsageRecorded | StopRequested | StopFailed | EngineFinished | WorkCollected | ProofRequested | CheckStarted | CheckFinished | ProofFinished | EngineReprompted | PublishRequested | BranchPushed | PullRequestOpened | PublishFailed | EvidenceAttached | PullRequestChanged | TurnInterrupted | TurnEnded | ProblemReported | EgressRefused | HostAllowed | HostForbidden | MemberJoined | RoleChanged | MemberLeft | SessionRenamed | SessionPinned | LogSalvaged | ArchiveRequested | SessionArchived | SessionUnarchived | ChildRequested | ChildSpawned | ChildRefused | ChildPrompted | ChildEnded | ChildrenStopRequested;
}

/** The client's command was not carried out. */
export interface RefusedFrame {
  readonly kind: "refused";
  readonly ref: string;
  readonly sentence: string;
  readonly remedy: string;
}

/** A repository on a forge. `source` is what the person named: a path or URL, shown and never executed. */
export interface Repository {
  readonly forge: string;
  readonly name: string;
  readonly source: string;
  readonly default_branch: string;
}

/** A machine image with the checkout of a branch at a commit, set up. `build` is the build that made it. */
export interface RepositoryImage {
  readonly build: string;
  readonly repository: string;
  readonly branch: string;
  readonly commit: string;
  /** All, bottom first */
  readonly layers: readonly string[];
  /** Those of the machine image, bottom first */
  readonly machine: readonly string[];
  readonly toolbox: string;
  /** Digest of all that the recipe says about the image */
  readonly recipe: string;
  readonly built_at: string;
  /** How long the build took */
  readonly seconds: number;
  /** On disk, above the machine image */
  readonly bytes: number;
  readonly diagnosis: Diagnosis | null;
}

/** Repositories by name. */
export interface RepositoryList {
  readonly repositories: readonly Repository[];
}

/** The client read too slowly and what it missed was dropped: attach again with `after`. The socket closes. */
export interface ResyncFrame {
  readonly kind: "resync";
  readonly after: number;
}

/** A member has another role. */
export interface RoleChanged {
  readonly type: "role_changed";
  readonly person: Person;
  readonly role: "viewer" | "prompter" | "owner";
  readonly by: Person;
}

/** Sessions that have changed, each as it is now. */
export interface RowsFrame {
  readonly kind: "rows";
  readonly sessions: readonly SessionSummary[];
}

/** A made sandbox as its provider knows it: opaque to everyone else, kept in the session's log. */
export interface SandboxHandle {
  readonly id: string;
  readonly provider: string;
  readonly state: Readonly<Record<string, string>>;
}

/** The sandbox went away by itself. Its files are kept where its provider still has them. */
export interface SandboxLost {
  readonly type: "sandbox_lost";
  readonly sandbox: string;
  readonly reason: string;
}

/** The sandbox can be reached, and its workspace has files to read, which stand on `commit`. They may be older than the session's own commit until it is synced. */
export interface SandboxReady {
  readonly type: "sandbox_ready";
  readonly handle: SandboxHandle;
  readonly isolation: Isolation;
  readonly limit_tier: LimitTier;
  readonly commit: string;
  readonly seconds: number;
  readonly how: "adopted" | "restored" | "warm" | "image" | "cold";
  /** What it was made from, bottom first */
  readonly layers: readonly string[];
  readonly toolbox: string | null;
  /** What was done, one after the other */
  readonly steps: readonly Step[];
}

/** The session needs a sandbox of this id. */
export interface SandboxRequested {
  readonly type: "sandbox_requested";
  readonly sandbox: string;
}

/** The idle sandbox was stopped; its files are kept. */
export interface SandboxStopped {
  readonly type: "sandbox_stopped";
  readonly sandbox: string;
}

/** A passage of a session that was found. */
export interface SearchHit {
  readonly session: string;
  readonly title: string;
  readonly status: string;
  readonly repository: string;
  readonly kind: "title" | "prompt" | "message" | "pull_request";
  /** The event that holds it, or its beginning */
  readonly seq: number;
  readonly at: string;
  readonly snippet: readonly SnippetText[];
}

/** What was found, best first. */
export interface SearchHits {
  readonly hits: readonly SearchHit[];
}

/** A service of the sandbox is ready, or could not be made ready; the session goes on either way. */
export interface ServiceChanged {
  readonly type: "service_changed";
  readonly name: string;
  readonly state: ServiceStatus;
  readonly port: number | null;
  readonly detail: string;
  /** How long it took to be ready */
  readonly seconds: number;
}

/** How a service does. */
export type ServiceStatus = "ready" | "failed";

/** The session is put away: no sandbox, no more prompts, until somebody takes it out again. */
export interface SessionArchived {
  readonly type: "session_archived";
  readonly by: Person;
}

/** The session began, at this commit of this repository. */
export interface SessionCreated {
  readonly type: "session_created";
  readonly session: string;
  readonly title: string;
  readonly created_by: Author;
  readonly repository: Repository;
  readonly base_branch: string;
  readonly base_commit: string;
  readonly model: ModelRef;
  readonly parent: Parentage | null;
}

/** The session goes on from another one's files, commits and engine memory, as they were after this turn of it. */
export interface SessionForked {
  readonly type: "session_forked";
  readonly parent: string;
  readonly turn: string;
  readonly number: number;
  readonly by: Person;
  readonly layer: string;
  readonly layers: readonly string[];
  readonly toolbox: string | null;
  readonly commit: string;
  readonly engine_session: string | null;
}

/** Sessions: pinned ones first, then the newest change first. */
export interface SessionList {
  readonly sessions: readonly SessionSummary[];
}

/** The session stands at the top of the list for everybody, or, where `pinned` is false, no longer does. */
export interface SessionPinned {
  readonly type: "session_pinned";
  readonly pinned: boolean;
  readonly by: Person;
}

/** The session has another title. */
export interface SessionRenamed {
  readonly type: "session_renamed";
  readonly title: string;
  readonly by: Person;
}

/** Files, commits and the engine's memory are again as they were after this turn. What came later is kept. */
export interface SessionRewound {
  readonly type: "session_rewound";
  readonly turn: string;
  readonly number: number;
  readonly by: Person;
  /** Where work is pushed from now on: another where something was pushed */
  readonly branch: string;
}

/** The session that was started. */
export interface SessionStarted {
  readonly session: string;
}

/** A row of the list of sessions. */
export interface SessionSummary {
  readonly id: string;
  readonly title: string;
  readonly repository: string;
  readonly branch: string;
  readonly author: string;
  readonly model: string;
  readonly status: string;
  readonly pull_request: number | null;
  readonly pull_request_state: string | null;
  readonly verdict: string | null;
  readonly cost_usd: number;
  readonly created_at: string;
  readonly updated_at: string;
  /** At the top of the list, for everybody */
  readonly pinned: boolean;
  /** The session that started it */
  readonly parent: string | null;
  /** The newest event in here: of two rows of a session the one with the larger number is newer */
  readonly seq: number;
  /** What is wrong with the session as a whole; empty for most */
  readonly problem: string;
}

/** The session is taken out of the archive, or is not to be archived any more. */
export interface SessionUnarchived {
  readonly type: "session_unarchived";
  readonly by: Person;
}

/** One session as it is now. */
export interface SessionView {
  readonly id: string;
  readonly title: string;
  readonly repository: string;
  readonly branch: string;
  readonly author: string;
  readonly model: string;
  readonly status: string;
  readonly pull_request: number | null;
  readonly pull_request_state: string | null;
  readonly verdict: string | null;
  readonly cost_usd: number;
  readonly created_at: string;
  readonly updated_at: string;
  /** At the top of the list, for everybody */
  readonly pinned: boolean;
  /** The session that started it */
  readonly parent: string | null;
  /** The newest event in here: of two rows of a session the one with the larger number is newer */
  readonly seq: number;
  readonly queue: readonly Prompt[];
  readonly turn: TurnView | null;
  readonly commits: readonly Commit[];
  readonly branch_name: string;
  /** The services of the sandbox, as it last was with each */
  readonly services: readonly ServiceChanged[];
  /** Ports of the sandbox that are worth looking at */
  readonly previews: readonly PreviewSpec[];
  /** The turns that can be rewound to or forked from */
  readonly snapshots: readonly SnapshotView[];
  /** What is wrong with the session as a whole; empty for most */
  readonly problem: string;
}

/** The files as they were after this turn could not be kept. The sandbox has them, and goes on. */
export interface SnapshotFailed {
  readonly type: "snapshot_failed";
  readonly turn: string;
  readonly reason: string;
}

/** The snapshot could not be brought to the blob store. It is on this machine only. */
export interface SnapshotNotStored {
  readonly type: "snapshot_not_stored";
  readonly layer: string;
  readonly reason: string;
  /** When it is tried again; without it, never */
  readonly retry_at: string | null;
  /** Whether it was tried and said before: nothing new for people */
  readonly again: boolean;
}

/** The snapshot, and what it stands on, is in the blob store: it outlives the folder of the sandboxes. */
export interface SnapshotStored {
  readonly type: "snapshot_stored";
  readonly layer: string;
  /** Compressed, without what was there already */
  readonly bytes: number;
  readonly seconds: number;
}

/** All that the sandbox had written when this turn was over is kept as `layer`, on top of `layers`. */
export interface SnapshotTaken {
  readonly type: "snapshot_taken";
  readonly turn: string;
  /** Which turn of the session it was, from 1 */
  readonly number: number;
  readonly layer: string;
  /** Below it, bottom first */
  readonly layers: readonly string[];
  readonly toolbox: string | null;
  /** The newest commit that was collected by then */
  readonly commit: string;
  /** sleep: the sandbox is gone, this is all there is of it */
  readonly reason: "turn" | "sleep";
  readonly seconds: number;
  /** How many snapshots of the session are kept; older ones may be deleted */
  readonly keep: number;
}

/** A turn that the session can be rewound to or forked from. */
export interface SnapshotView {
  readonly turn: string;
  readonly number: number;
  readonly commit: string;
  /** Whether it was brought to the blob store, or tried in vain */
  readonly stored: boolean;
}

/** Some text round a find; `hit` where it is one of the words looked for. */
export interface SnippetText {
  readonly text: string;
  readonly hit: boolean;
}

/** Whose text it is: the agent's prose, or its thoughts. */
export type Speaker = "agent" | "thought";

/** Long work reached a point worth telling: building an image, cloning, setting up, starting the engine. */
export interface StageReported {
  readonly type: "stage_reported";
  readonly stage: string;
  readonly text: string;
  /** Set when the stage is done */
  readonly seconds: number | null;
  readonly failed: boolean;
}

/** Stop the running turn and run this queued prompt next. */
export interface SteerFrame {
  readonly kind: "steer";
  readonly ref: string;
  /** The same key again is the same request */
  readonly key: string | null;
  readonly prompt: string;
}

/** One step of a start or a sync, and how long it took. */
export interface Step {
  readonly name: string;
  readonly seconds: number;
}

/** A turn that is being stopped could not be ended in its sandbox, so the sandbox is stopped. The turn ends then. */
export interface StopFailed {
  readonly type: "stop_failed";
  readonly turn: string;
  readonly reason: string;
}

/** Stop the running turn; with `children`, also those of the sessions that it started, and of theirs. */
export interface StopFrame {
  readonly kind: "stop";
  readonly ref: string;
  readonly children: boolean;
  /** The same key again is the same request */
  readonly key: string | null;
}

/** Somebody asked that the turn stop. */
export interface StopRequested {
  readonly type: "stop_requested";
  readonly turn: string;
  readonly by: Person;
}

/** The workspace could not be brought to the session's commit. Nothing was changed; the next prompt tries again. */
export interface SyncFailed {
  readonly type: "sync_failed";
  readonly reason: string;
  readonly remedy: string;
}

/** The workspace is on the session's commit and set up: edits, commands and tools may run from here on. */
export interface SyncFinished {
  readonly type: "sync_finished";
  readonly commit: string;
  /** Where the workspace stood before */
  readonly from_commit: string;
  /** Whether the files are others than those that could be read before */
  readonly moved: boolean;
  readonly seconds: number;
  readonly setup_ran: boolean;
  /** The first of the paths that differ */
  readonly files: readonly string[];
  /** How many paths differ, as far as that is known */
  readonly files_changed: number;
  /** What was done, one after the other */
  readonly steps: readonly Step[];
}

/** A stored segment of text. Segments of one message are joined by `offset` (characters). */
export interface TextSealed {
  readonly type: "text_sealed";
  readonly turn: string;
  readonly message: string;
  readonly speaker: Speaker;
  readonly offset: number;
  readonly text: string;
}

/** A tool call began or changed. */
export interface ToolCallChanged {
  readonly type: "tool_call_changed";
  readonly turn: string;
  readonly update: ToolCallUpdate;
}

/** A tool call began or changed; what is None did not change. `content` replaces what was there. */
export interface ToolCallUpdate {
  readonly type: "tool_call_update";
  readonly tool_call: string;
  readonly title: string | null;
  readonly kind: ToolKind | null;
  readonly status: ToolStatus | null;
  readonly paths: readonly string[] | null;
  /** What the tool was given, as JSON */
  readonly input: string | null;
  readonly content: readonly (ToolText | ToolDiff)[] | null;
}

/** A change to one file as a unified diff, bounded. */
export interface ToolDiff {
  readonly type: "diff";
  readonly path: string;
  readonly diff: string;
  readonly truncated: boolean;
}

/** ACP's kinds of tool. */
export type ToolKind = "read" | "edit" | "delete" | "move" | "search" | "execute" | "think" | "fetch" | "switch_mode" | "other";

/** A tool printed more than the transcript holds: all of it, or, where `whole` is false, its beginning and its end, is kept as an artifact. */
export interface ToolLogKept {
  readonly type: "tool_log_kept";
  readonly turn: string;
  readonly tool_call: string;
  readonly artifact: string;
  /** What the tool printed, as the sandbox says */
  readonly bytes: number;
  readonly whole: boolean;
}

/** ACP's states of a tool call. */
export type ToolStatus = "pending" | "in_progress" | "completed" | "failed";

/** Text that a tool gave back, bounded; `truncated` says that the middle was dropped. */
export interface ToolText {
  readonly type: "text";
  readonly text: string;
  readonly truncated: boolean;
}

/** The session has nearly as many events as it may have; then it takes no more prompts. */
export interface TranscriptNearlyFull {
  readonly type: "transcript_nearly_full";
  readonly events: number;
  readonly limit: number;
}

/** The turn that waited may begin. */
export interface TurnAdmitted {
  readonly type: "turn_admitted";
  readonly turn: string;
  /** How long it had waited */
  readonly seconds: number;
}

/** Why a turn ended. */
export type TurnEndReason = "completed" | "stopped" | "failed";

/** The turn is over; `message` is the sentence for every surface that it came from. */
export interface TurnEnded {
  readonly type: "turn_ended";
  readonly turn: string;
  readonly reason: TurnEndReason;
  readonly message: string;
  /** Set where it did not end well and the workspace was read */
  readonly kept: KeptWork | null;
}

/** The turn waits: as many sessions are at work as may be. It begins by itself. */
export interface TurnHeld {
  readonly type: "turn_held";
  readonly turn: string;
  readonly since: string;
  readonly sentence: string;
  readonly remedy: string;
}

/** The turn was cut off by something that nobody asked for; it goes on by itself as the next attempt. */
export interface TurnInterrupted {
  readonly type: "turn_interrupted";
  readonly turn: string;
  /** The attempt that was cut off */
  readonly attempt: number;
  readonly reason: string;
  /** True: it is not tried again, only what is there is kept */
  readonly final: boolean;
}

/** A turn began to answer a prompt. */
export interface TurnStarted {
  readonly type: "turn_started";
  readonly turn: string;
  readonly prompt: string;
}

/** The running turn. */
export interface TurnView {
  readonly id: string;
  readonly prompt: string;
  readonly phase: string;
}

/** Somebody is about to start a session. */
export interface Typing {
  /** Name or source of a known repository */
  readonly repository: string;
  /** The default one without it */
  readonly branch?: string | null;
  readonly model?: string | null;
  /** Only with the owner's token */
  readonly author?: Person | null;
}

/** A person is typing a prompt: the session may wake. Send it once in 20 seconds of typing at most. */
export interface TypingFrame {
  readonly kind: "typing";
  readonly ref: string;
}

/** Somebody was typing a prompt while the sandbox had nothing to do: its idle time begins anew. */
export interface TypingNoticed {
  readonly type: "typing_noticed";
  readonly by: Person;
}

/** One LLM call as the gateway saw it. `cost_usd` is None where the price is not known: never 0 in silence. */
export interface Usage {
  readonly call: string;
  readonly model: string;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cache_read_tokens: number;
  readonly cache_write_tokens: number;
  readonly cost_usd: number | null;
}

/** One LLM call was made and paid for. */
export interface UsageRecorded {
  readonly type: "usage_recorded";
  readonly turn: string | null;
  readonly usage: Usage;
}

/** Where a warm sandbox is. */
export type WarmPhase = "starting" | "ready" | "held";

/** One sandbox of the pool, as people see it. */
export interface WarmView {
  readonly id: string;
  readonly repository: string;
  readonly branch: string;
  readonly model: string;
  readonly phase: WarmPhase;
  /** The person whose typing holds it */
  readonly held_for: string | null;
  /** Whether an image is newer; it is replaced */
  readonly stale: boolean;
  readonly commit: string;
  readonly age_seconds: number;
}

/** A person who is there. Several windows of one person are one. */
export interface Watching {
  readonly person: Person;
  readonly guest: boolean;
  /** What they look with */
  readonly clients: readonly string[];
  readonly typing: boolean;
}

/** Take a prompt out of the queue. */
export interface WithdrawFrame {
  readonly kind: "withdraw";
  readonly ref: string;
  /** The same key again is the same request */
  readonly key: string | null;
  readonly prompt: string;
}

/** The commits of the workspace were fetched into our quarantine and checked. */
export interface WorkCollected {
  readonly type: "work_collected";
  readonly head: string;
  readonly commits: readonly Commit[];
  readonly files: readonly FileChange[];
  readonly leftovers_committed: boolean;
  /** Files of the workspace that are not committed, as it says */
  readonly uncommitted: number;
  /** Some of them by name */
  readonly uncommitted_files: readonly string[];
}

export type ToolContent =
  | ToolText
  | ToolDiff;

export type Event =
  | SessionCreated
  | PromptQueued
  | PromptWithdrawn
  | PromptMoved
  | PromptEdited
  | KeyUsed
  | TurnHeld
  | TurnAdmitted
  | TranscriptNearlyFull
  | SandboxRequested
  | SandboxReady
  | SyncFinished
  | SyncFailed
  | TypingNoticed
  | SandboxLost
  | SandboxStopped
  | SnapshotTaken
  | SnapshotFailed
  | SnapshotStored
  | SnapshotNotStored
  | SessionRewound
  | SessionForked
  | StageReported
  | ServiceChanged
  | PreviewsNamed
  | TurnStarted
  | EngineAttached
  | PromptHanded
  | EngineTold
  | TextSealed
  | ToolCallChanged
  | PlanChanged
  | ToolLogKept
  | PermissionDecided
  | UsageRecorded
  | StopRequested
  | StopFailed
  | EngineFinished
  | WorkCollected
  | ProofRequested
  | CheckStarted
  | CheckFinished
  | ProofFinished
  | EngineReprompted
  | PublishRequested
  | BranchPushed
  | PullRequestOpened
  | PublishFailed
  | EvidenceAttached
  | PullRequestChanged
  | TurnInterrupted
  | TurnEnded
  | ProblemReported
  | EgressRefused
  | HostAllowed
  | HostForbidden
  | MemberJoined
  | RoleChanged
  | MemberLeft
  | SessionRenamed
  | SessionPinned
  | LogSalvaged
  | ArchiveRequested
  | SessionArchived
  | SessionUnarchived
  | ChildRequested
  | ChildSpawned
  | ChildRefused
  | ChildPrompted
  | ChildEnded
  | ChildrenStopRequested;

export type ServerFrame =
  | EventsFrame
  | DraftsFrame
  | LiveFrame
  | DeltaFrame
  | ProgressFrame
  | PresenceFrame
  | ChangesFrame
  | ResyncFrame
  | AcceptedFrame
  | RefusedFrame;

export type ClientFrame =
  | PromptFrame
  | WithdrawFrame
  | MoveFrame
  | EditFrame
  | SteerFrame
  | StopFrame
  | TypingFrame
  | HereFrame;

export type ListFrame =
  | RowsFrame
  | LiveFrame
  | ResyncFrame;
