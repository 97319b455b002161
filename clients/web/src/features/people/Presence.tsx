import type { PresenceFrame, Watching } from "@outrider/protocol";
import type { ReactElement } from "react";

import { Face } from "@/ui/Face";

const SHOWN = 4;

/** Where the title needs the room. */
const SHOWN_NARROW = 2;

/** Who watches the session now: faces, and a number for more. Nothing for a person alone. */
export function Presence({ presence }: { readonly presence: PresenceFrame | null }): ReactElement | null {
  if (!presence || presence.count < 2) return null;
  const shown = presence.people.slice(0, SHOWN);
  return (
    <ul aria-label="Who is here" className="flex shrink-0 items-center -space-x-0.5">
      {shown.map((one, index) => (
        <li
          key={`${one.person.email} ${String(one.guest)}`}
          title={whoIs(one)}
          className={`rounded-full ring-2 ${index < SHOWN_NARROW ? "inline-flex" : "hidden sm:inline-flex"} ${one.typing ? "ring-accent" : "ring-paper"}`}
        >
          <span className="sr-only">{whoIs(one)}</span>
          <Face name={one.person.name} size={22} />
        </li>
      ))}
      <More count={presence.count - Math.min(presence.people.length, SHOWN_NARROW)} className="pl-2 sm:hidden" short />
      <More count={presence.count - shown.length} className="hidden pl-3 sm:block" />
    </ul>
  );
}

interface MoreProps {
  readonly count: number;
  readonly className: string;
  readonly short?: boolean;
}

function More({ count, className, short = false }: MoreProps): ReactElement | null {
  if (count === 0) return null;
  return <li className={`tabular text-xs text-muted ${className}`}>{short ? `+${count}` : `and ${count} more`}</li>;
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
