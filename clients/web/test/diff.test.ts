import { describe, expect, it } from "vitest";

import { parseDiff } from "@/ui/diff";

const GIT = `diff --git a/old.py b/new.py
similarity index 90%
rename from old.py
rename to new.py
--- a/old.py
+++ b/new.py
@@ -1,3 +1,3 @@ def f():
 same
---- a comment of SQL
+++ b comment of SQL
\\ No newline at end of file
diff --git a/logo.png b/logo.png
Binary files a/logo.png and b/logo.png differ
diff --git a/empty.txt b/empty.txt
new file mode 100644
`;

describe("a unified diff", () => {
  it("is one file for each header of git, whatever the lines look like", () => {
    const files = parseDiff(GIT);
    expect(files.map((file) => [file.path, file.oldPath, file.binary])).toEqual([
      ["new.py", "old.py", false],
      ["logo.png", null, true],
      ["empty.txt", null, false],
    ]);
    expect(files[0]).toMatchObject({ added: 1, deleted: 1 });
  });

  it("numbers the lines of both sides", () => {
    const [file] = parseDiff("--- a/x\n+++ b/x\n@@ -10,2 +20,3 @@\n same\n-gone\n+come\n+more\n");
    expect(file?.hunks[0]?.lines.map((line) => [line.before, line.after])).toEqual([
      [10, 20],
      [11, null],
      [null, 21],
      [null, 22],
    ]);
  });

  it("marks what is different in a rewritten line, and not in a line with nothing in common", () => {
    const [file] = parseDiff("--- a/x\n+++ b/x\n@@ -1 +1 @@\n-total = price\n+total = price * 2\n@@ -9 +9 @@\n-abc\n+xyz\n");
    const lines = file?.hunks.flatMap((hunk) => hunk.lines) ?? [];
    expect(lines.map((line) => line.changed)).toEqual([[13, 13], [13, 17], null, null]);
  });

  it("names a new and a deleted file by the side that exists", () => {
    expect(parseDiff("--- /dev/null\n+++ b/a.txt\n@@ -0,0 +1 @@\n+a\n")[0]?.path).toBe("a.txt");
    expect(parseDiff("--- a/a.txt\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n")[0]?.path).toBe("a.txt");
  });

  it("is nothing where there is nothing to read", () => {
    expect(parseDiff("")).toEqual([]);
    expect(parseDiff("no diff at all\n")).toEqual([]);
  });
});
