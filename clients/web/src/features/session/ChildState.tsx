import type { ChildItem } from "@outrider/sdk";
import { CircleCheck, CircleSlash, CircleX, LoaderCircle, type LucideIcon } from "lucide-react";
import type { ReactElement } from "react";

import { State, type Tone } from "@/ui/State";

interface Look {
  readonly icon: LucideIcon;
  readonly tone: Tone;
  readonly word: string;
  readonly live?: boolean;
}

const words: Readonly<Record<string, string>> = {
  checks_red: "Checks are red",
  checks_not_run: "Checks did not run",
  setup_failed: "Set-up failed",
  completed: "Checks are red", // as older sessions told it
};

/** Where a session stands that another one started, as that one knows it. */
export function ChildState({ child }: { readonly child: ChildItem }): ReactElement {
  return <State {...look(child)} />;
}

function look({ state, result }: ChildItem): Look {
  if (state === "starting") return { icon: LoaderCircle, tone: "accent", word: "Starting", live: true };
  if (state === "working") return { icon: LoaderCircle, tone: "accent", word: "Working", live: true };
  if (state === "refused") return { icon: CircleX, tone: "fail", word: "Not started" };
  if (result?.ok) return { icon: CircleCheck, tone: "pass", word: "Done" };
  if (result?.reason === "stopped") return { icon: CircleSlash, tone: "plain", word: "Stopped" };
  return { icon: CircleX, tone: "fail", word: words[result?.reason ?? ""] ?? "Failed" };
}
