import type { NewChild } from "@outrider/protocol";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, fireEvent, render, screen, within } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { SpawnForm } from "@/features/session/SpawnForm";

import { serve, type Served } from "./server";

const POST = "POST /api/sessions/s-aaaa/children";
const KNOWN = { repositories: [{ name: "ledger" }, { name: "docs" }] };

let server: Served;

beforeEach(async () => {
  server = await serve({ "GET /api/repositories": KNOWN, [POST]: { session: "s-cccc" } });
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  render(
    <QueryClientProvider client={client}>
      <SpawnForm session="s-aaaa" repository="ledger" />
    </QueryClientProvider>,
  );
});

afterEach(async () => {
  cleanup();
  await server.end();
});

function opener(): HTMLElement {
  return screen.getByRole("button", { name: "Start a session below this one" });
}

function open(): HTMLElement {
  fireEvent.click(opener());
  return screen.getByRole("form", { name: "Start a session" });
}

function send(form: HTMLElement, words: string): void {
  const box = within(form).getByRole("textbox", { name: "What should it do?" });
  fireEvent.change(box, { target: { value: words } });
  fireEvent.keyDown(box, { key: "Enter", ctrlKey: true });
}

const sent = (): readonly NewChild[] => server.bodies(POST) as NewChild[];

describe("starting a session below another", () => {
  it("begins in the prompt, starts in the session's own repository by keys, and gives the focus back", async () => {
    const form = open();
    expect(document.activeElement).toBe(within(form).getByRole("textbox"));
    send(form, "Write the page about coupons.");
    await vi.waitFor(() => expect(document.activeElement).toBe(opener()));
    expect(sent()).toEqual([
      { prompt: "Write the page about coupons.", repository: "ledger", key: expect.stringMatching(/.{20}/) },
    ]);
  });

  it("starts in another repository that is known", async () => {
    const form = open();
    await within(form).findByRole("option", { name: "docs" });
    expect(within(form).getAllByRole("option")).toHaveLength(2);
    fireEvent.change(within(form).getByRole("combobox", { name: "Repository" }), { target: { value: "docs" } });
    send(form, "Say what a coupon is.");
    await vi.waitFor(() => expect(sent()[0]?.repository).toBe("docs"));
  });

  it("asks nothing without words", () => {
    send(open(), "   ");
    expect(sent()).toEqual([]);
  });

  it("says what the server says, keeps the words, and asks anew", async () => {
    server.refuse(POST, 429, "This session may start 8 sessions.", "Who runs this deployment can raise `OUTRIDER_CHILDREN`.");
    const form = open();
    send(form, "One more.");
    const alert = await within(form).findByRole("alert");
    expect(alert.textContent).toContain("This session may start 8 sessions.");
    expect(alert.textContent).toContain("OUTRIDER_CHILDREN");
    expect(within(form).getByRole("textbox")).toHaveProperty("value", "One more.");
    server.answer(POST, { session: "s-cccc" });
    send(form, "One more.");
    await vi.waitFor(() => expect(screen.queryByRole("form")).toBeNull());
    expect(new Set(sent().map(({ key }) => key)).size).toBe(2);
  });

  it("sends what got no answer again under its key, so that one session comes of it", async () => {
    server.drop(POST);
    const form = open();
    send(form, "Only once.");
    expect((await within(form).findByRole("alert")).textContent).toContain("The server does not answer.");
    send(form, "Only once.");
    await vi.waitFor(() => expect(sent()).toHaveLength(2));
    expect(new Set(sent().map(({ key }) => key)).size).toBe(1);
  });

  it("is left by Escape from anywhere in it", () => {
    fireEvent.keyDown(within(open()).getByRole("combobox"), { key: "Escape" });
    expect(document.activeElement).toBe(opener());
    expect(sent()).toEqual([]);
  });
});
