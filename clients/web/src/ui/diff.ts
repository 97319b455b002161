/** One line of a hunk with its number on each side. */
export interface DiffLine {
  readonly kind: "same" | "added" | "deleted";
  readonly text: string;
  readonly before: number | null;
  readonly after: number | null;
  /** For a line that was rewritten: the part that is different, as a range of characters. */
  readonly changed: readonly [number, number] | null;
}

export interface Hunk {
  readonly header: string;
  readonly lines: readonly DiffLine[];
}

export interface FileDiff {
  readonly path: string;
  /** Where it was before, for a renamed file. */
  readonly oldPath: string | null;
  readonly binary: boolean;
  readonly added: number;
  readonly deleted: number;
  readonly hunks: readonly Hunk[];
}

const HUNK = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@(.*)$/;

/** The files of a unified diff, with or without git's headers. What cannot be read is left out. */
export function parseDiff(text: string): readonly FileDiff[] {
  const lines = text.replace(/\n$/, "").split("\n");
  const git = lines[0]?.startsWith("diff --git ") ?? false;
  const files: FileDiff[] = [];
  let chunk: string[] = [];
  lines.forEach((line, i) => {
    const starts = git ? line.startsWith("diff --git ") : line.startsWith("--- ") && lines[i + 1]?.startsWith("+++ ");
    if (starts) {
      pushFile(files, chunk);
      chunk = [];
    }
    chunk.push(line);
  });
  pushFile(files, chunk);
  return files;
}

function pushFile(files: FileDiff[], chunk: readonly string[]): void {
  const first = chunk.findIndex((line) => HUNK.test(line));
  const header = first < 0 ? chunk : chunk.slice(0, first);
  const { path, oldPath } = pathsOf(header);
  if (!path) return;
  const hunks = first < 0 ? [] : hunksOf(chunk.slice(first));
  const lines = hunks.flatMap((hunk) => hunk.lines);
  files.push({
    path,
    oldPath: oldPath === path ? null : oldPath,
    binary: header.some((line) => line.startsWith("Binary files ") || line.startsWith("GIT binary patch")),
    added: lines.filter((line) => line.kind === "added").length,
    deleted: lines.filter((line) => line.kind === "deleted").length,
    hunks,
  });
}

function pathsOf(header: readonly string[]): { path: string | null; oldPath: string | null } {
  const named = (prefix: string): string | null => {
    const line = header.find((each) => each.startsWith(prefix))?.slice(prefix.length);
    return line === undefined || line === "/dev/null" ? null : line.replace(/^[ab]\//, "").replace(/\t.*$/, "");
  };
  const git = /^diff --git a\/(.+) b\/(.+)$/.exec(header[0] ?? "");
  const before = named("--- ") ?? named("rename from ");
  const after = named("+++ ") ?? named("rename to ") ?? git?.[2] ?? null;
  return { path: after ?? before, oldPath: before };
}

function hunksOf(lines: readonly string[]): readonly Hunk[] {
  const hunks: { header: string; lines: DiffLine[] }[] = [];
  let [before, after] = [0, 0];
  for (const line of lines) {
    const start = HUNK.exec(line);
    if (start) {
      [before, after] = [Number(start[1]), Number(start[3])];
      hunks.push({ header: line, lines: [] });
      continue;
    }
    const parsed = lineOf(line, before, after);
    if (!parsed) continue;
    hunks.at(-1)?.lines.push(parsed);
    if (parsed.kind !== "added") before += 1;
    if (parsed.kind !== "deleted") after += 1;
  }
  return hunks.map((hunk) => ({ ...hunk, lines: markChanged(hunk.lines) }));
}

function lineOf(line: string, before: number, after: number): DiffLine | null {
  const text = line.slice(1);
  if (line.startsWith("+")) return { kind: "added", text, before: null, after, changed: null };
  if (line.startsWith("-")) return { kind: "deleted", text, before, after: null, changed: null };
  if (line.startsWith("\\")) return null;
  return { kind: "same", text, before, after, changed: null };
}

/** Where as many lines were deleted as added, each pair is one rewritten line: mark what is different in it. */
function markChanged(lines: readonly DiffLine[]): readonly DiffLine[] {
  const marked = [...lines];
  let start = 0;
  while (start < lines.length) {
    const deleted = run(lines, start, "deleted");
    const added = run(lines, start + deleted, "added");
    if (deleted > 0 && deleted === added) {
      for (let i = 0; i < deleted; i += 1) markPair(marked, start + i, start + deleted + i);
    }
    start += Math.max(1, deleted + added);
  }
  return marked;
}

function run(lines: readonly DiffLine[], start: number, kind: DiffLine["kind"]): number {
  let length = 0;
  while (lines[start + length]?.kind === kind) length += 1;
  return length;
}

function markPair(lines: DiffLine[], before: number, after: number): void {
  const [old, fresh] = [lines[before], lines[after]];
  if (!old || !fresh) return;
  let head = 0;
  while (head < Math.min(old.text.length, fresh.text.length) && old.text[head] === fresh.text[head]) head += 1;
  let tail = 0;
  const most = Math.min(old.text.length, fresh.text.length) - head;
  while (tail < most && old.text.at(-1 - tail) === fresh.text.at(-1 - tail)) tail += 1;
  if (head + tail < Math.max(old.text.length, fresh.text.length) * 0.3) return; // too little in common to help
  lines[before] = { ...old, changed: [head, old.text.length - tail] };
  lines[after] = { ...fresh, changed: [head, fresh.text.length - tail] };
}
