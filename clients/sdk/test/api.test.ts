import { describe, expect, it } from "vitest";

import { Api, Problem } from "../src";

function answering(status: number, body: string): { api: Api; asked: [string, RequestInit | undefined][] } {
  const asked: [string, RequestInit | undefined][] = [];
  const fetch = (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
    asked.push([String(input), init]);
    return Promise.resolve(new Response(status === 204 ? null : body, { status }));
  };
  return { api: new Api("", fetch), asked };
}

describe("the API", () => {
  it("sends a prompt with its key", async () => {
    const { api, asked } = answering(202, '{"prompt":"q-aaaa","seq":7}');
    await expect(api.sendPrompt("s-aaaa", "Hello", "k")).resolves.toEqual({ prompt: "q-aaaa", seq: 7 });
    expect(asked[0]?.[0]).toBe("/api/sessions/s-aaaa/prompts");
    expect(asked[0]?.[1]?.body).toBe('{"text":"Hello","key":"k"}');
  });

  it("takes an empty answer", async () => {
    await expect(answering(204, "").api.withdraw("s-aaaa", "q-aaaa")).resolves.toBeUndefined();
  });

  it("escapes what goes into an address", async () => {
    const { api, asked } = answering(200, "{}");
    await api.session("../me");
    expect(asked[0]?.[0]).toBe("/api/sessions/..%2Fme");
  });

  it("throws the server's sentence and remedy", async () => {
    const { api } = answering(409, '{"sentence":"A turn runs.","remedy":"Stop it."}');
    await expect(api.stop("s-aaaa")).rejects.toMatchObject({ sentence: "A turn runs.", remedy: "Stop it.", status: 409 });
  });

  it("has a sentence where the server gave none", async () => {
    const problem = (await answering(502, "<html>").api.me().catch((error: unknown) => error)) as Problem;
    expect(problem).toBeInstanceOf(Problem);
    expect(problem.sentence).toContain("502");
  });

  it("has a sentence where nobody answers", async () => {
    const api = new Api("", () => Promise.reject(new TypeError("Failed to fetch")));
    await expect(api.me()).rejects.toMatchObject({ sentence: "The server does not answer.", status: 0 });
  });
});
