import type { PresenceFrame, Watching } from "@outrider/protocol";
import type { ReactElement } from "react";

import { Face } from "@/ui/Face";

const SHOWN = 4;

/** Who watches the session now: faces, and a number for more. Nothing for a person alone. */
export function Presence({ presence }: { readonly presence: PresenceFrame | null }): ReactElement | null {
  if (!presence || presence.count < 2) return null;
  const shown = presence.people.slice(0, SHOWN);
  const rest = presence.count - shown.length;
  return (
    <ul aria-label="Who is here" className="flex shrink-0 items-center -space-x-0.5">
      {shown.map((one) => (
        <li
          key={`${one.person.email} ${String(one.guest)}`}
          title={whoIs(one)}
          className={`inline-flex rounded-full ring-2 ${one.typing ? "ring-accent" : "ring-paper"}`}
        >
          <span className="sr-only">{whoIs(one)}</span>
          <Face name={one.person.name} size={22} />
        </li>
      ))}
      {rest > 0 && <li className="tabular pl-3 text-xs text-muted">and {rest} more</li>}
    </ul>
  );
}

function whoIs({ person, guest, clients, typing }: Watching): string {
  return `${person.name}${guest ? " (a guest)" : ""}, ${clients.join(" and ")}${typing ? ", typing" : ""}`;
}

interface TypingProps {
  readonly presence: PresenceFrame | null;
  /** Whose own typing is not news. */
  readonly own: string | undefined;
}

/** Who else is typing a prompt. Its place is kept, so that nothing jumps. */
export function OthersTyping({ presence, own }: TypingProps): ReactElement {
  const others = presence?.people.filter((one) => one.typing && one.person.email !== own) ?? [];
  const names = others.slice(0, 2).map((one) => one.person.name);
  const more = others.length - names.length;
  const said = names.join(" and ") + (more > 0 ? ` and ${more} more` : "");
  return (
    <span aria-live="polite" className="min-w-0 flex-1 truncate text-xs text-muted">
      {said && `${said} ${others.length === 1 ? "is" : "are"} typing…`}
    </span>
  );
}
