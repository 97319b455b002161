import { Problem } from "./problem";

/** What the server said to a request that it did not carry out. */
export function refusal(status: number, text: string): Problem {
  const body = parse(text);
  if (isRefusal(body)) return new Problem(body.sentence, body.remedy ?? "", status);
  return new Problem(`The server answered ${status} without saying why.`, "", status);
}

function isRefusal(body: unknown): body is { sentence: string; remedy?: string } {
  return typeof body === "object" && body !== null && "sentence" in body && typeof body.sentence === "string";
}

/** JSON; nothing where it is none. */
export function parse(text: string): unknown {
  if (!text) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
