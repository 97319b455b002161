import type { ToolItem } from "@outrider/sdk";

const WORKSPACE = "/workspace/";
/** What the engine puts before the names of our own tools. */
const OWN_TOOLS = "outrider_";
const MOST_PATHS = 3;

/** What a tool works on: a command, paths, else the engine's title. The terminal says the same. */
export function objectOf(item: ToolItem): string {
  const command = item.tool === "execute" ? commandIn(item.input) : null;
  if (command) return command;
  if (item.paths.length > 0 && item.tool !== "search") {
    return item.paths.slice(0, MOST_PATHS).map(withoutWorkspace).join(", ");
  }
  const title = item.title === item.tool ? "…" : withoutWorkspace(item.title) || "…";
  return title.startsWith(OWN_TOOLS) ? title.slice(OWN_TOOLS.length).replaceAll("_", " ") : title;
}

/** The command that a tool was given, if it was given one. */
export function commandIn(input: string): string | null {
  try {
    const given = JSON.parse(input) as unknown;
    const command = typeof given === "object" && given !== null && "command" in given ? given.command : null;
    return typeof command === "string" ? command : null;
  } catch {
    return null;
  }
}

function withoutWorkspace(path: string): string {
  return path.startsWith(WORKSPACE) ? path.slice(WORKSPACE.length) : path;
}
