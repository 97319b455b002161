import type { ReactElement, ReactNode } from "react";

import { useMembers } from "./queries";

interface MayPromptProps {
  readonly session: string;
  readonly membersSeq: number;
  readonly children: ReactNode;
}

/** What is for who may prompt; a viewer is told whom to ask instead. */
export function MayPrompt({ session, membersSeq, children }: MayPromptProps): ReactElement {
  const { data } = useMembers(session, membersSeq);
  if (data?.yours !== "viewer") return <>{children}</>;
  const owners = data.members.filter((member) => member.role === "owner").map((member) => member.person.name);
  return (
    <p className="py-2 text-muted">
      You are a viewer here. {owners.join(" or ")} can make you a prompter, under “People”.
    </p>
  );
}
