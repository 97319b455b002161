import type { Attachment } from "@outrider/protocol";
import type { QueuedPrompt } from "@outrider/sdk";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, fireEvent, render, screen, within } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { Queue } from "@/features/session/Queue";

import { serve, type Served } from "./server";

const LOG: Attachment = { id: "f-aaaa", name: "old.log", media_type: "text/plain", size: 12 };
const PICTURE: Attachment = { id: "f-bbbb", name: "till.png", media_type: "image/png", size: 2048 };
const PROMPT: QueuedPrompt = {
  id: "q-aaaa",
  author: { person: { name: "Ada Mensah", email: "ada@example.org" }, via: "web" },
  text: "Look at this.",
  key: null,
  attachments: [LOG, PICTURE],
  revision: 3,
  edited_by: null,
  at: "2026-03-04T09:30:00Z",
};
const PATCH = "PATCH /api/sessions/s-aaaa/prompts/q-aaaa";

let server: Served;

function view(queue: readonly QueuedPrompt[]) {
  return (
    <QueryClientProvider client={client}>
      <Queue session="s-aaaa" queue={queue} running />
    </QueryClientProvider>
  );
}

let client: QueryClient;

beforeEach(async () => {
  client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  server = await serve({ "GET /api/me": { most_attachments: 3, attachment_bytes: 1000 }, [PATCH]: { seq: 9 } });
});

afterEach(async () => {
  cleanup();
  await server.end();
});

function edit(): HTMLElement {
  fireEvent.click(screen.getByRole("button", { name: "Edit this prompt" }));
  return screen.getByRole("form", { name: "Edit the prompt" });
}

describe("the editor of a prompt that waits", () => {
  it("shows the files that it has, and saves without one that was dropped", async () => {
    render(view([PROMPT]));
    const form = edit();
    expect(within(form).getByText("old.log")).toBeTruthy();
    expect(form.querySelector("img")?.getAttribute("src")).toBe("/api/sessions/s-aaaa/attachments/f-bbbb");
    fireEvent.click(within(form).getByRole("button", { name: "Remove old.log" }));
    fireEvent.click(within(form).getByRole("button", { name: "Save" }));
    await vi.waitFor(() => expect(screen.queryByRole("form")).toBeNull());
    expect(server.bodies(PATCH)).toEqual([
      { text: "Look at this.", attachments: [{ id: "f-bbbb", name: "till.png" }], revision: 3 },
    ]);
  });

  it("sends a picked file at once, and names it beside the others when it is there", async () => {
    server.answerUploads({ ...LOG, id: "f-cccc", name: "new.log" });
    render(view([PROMPT]));
    const form = edit();
    const picker = within(form).getByLabelText("Files to attach");
    fireEvent.change(picker, { target: { files: [new File(["total 30.00"], "new.log")] } });
    await vi.waitFor(() => expect(within(form).getByRole("button", { name: "Save" })).toHaveProperty("disabled", false));
    fireEvent.click(within(form).getByRole("button", { name: "Save" }));
    await vi.waitFor(() => expect(server.bodies(PATCH)).toHaveLength(1));
    const [body] = server.bodies(PATCH) as { attachments: Attachment[] }[];
    expect(body?.attachments.map(({ id }) => id)).toEqual(["f-aaaa", "f-bbbb", "f-cccc"]);
  });

  it("keeps what is in it where the server refuses, and says why", async () => {
    server.refuse(PATCH, 409, "Somebody else has edited this prompt.", "Look at it again.");
    render(view([PROMPT]));
    const form = edit();
    fireEvent.click(within(form).getByRole("button", { name: "Remove old.log" }));
    fireEvent.click(within(form).getByRole("button", { name: "Save" }));
    expect((await within(form).findByRole("alert")).textContent).toContain("Somebody else has edited this prompt.");
    expect(within(form).queryByText("old.log")).toBeNull();
    expect(within(form).getByText("till.png")).toBeTruthy();
  });

  it("says which files it has by somebody else's hand, and what was lost where its turn begins", () => {
    const { rerender } = render(view([PROMPT]));
    const form = edit();
    const theirs = { ...PROMPT, revision: 4, attachments: [LOG], edited_by: { name: "Ben", email: "ben@example.org" } };
    rerender(view([theirs]));
    expect(within(form).getByRole("note").textContent).toContain("With old.log");
    fireEvent.click(within(form).getByRole("button", { name: "Remove till.png" }));
    rerender(view([]));
    expect(screen.getByText(/left the queue while you were editing it/)).toBeTruthy();
    expect(screen.getByText("With old.log")).toBeTruthy();
  });

  it("closes in silence where its turn begins and nothing was changed", () => {
    const { rerender } = render(view([PROMPT]));
    edit();
    rerender(view([]));
    expect(screen.queryByText(/left the queue/)).toBeNull();
  });

  it("is left by Escape from anywhere in it", () => {
    render(view([PROMPT]));
    fireEvent.keyDown(within(edit()).getByRole("button", { name: "Remove old.log" }), { key: "Escape" });
    expect(screen.queryByRole("form")).toBeNull();
  });
});
