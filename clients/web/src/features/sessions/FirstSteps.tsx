import { FileCheck2, GitPullRequest, MessageSquareText, type LucideIcon } from "lucide-react";
import type { ReactElement } from "react";

const STEPS: readonly { icon: LucideIcon; title: string; text: string }[] = [
  {
    icon: MessageSquareText,
    title: "Say what you want",
    text: "Name a repository on this machine or by URL. The agent works on a copy in a sandbox, without a network of its own.",
  },
  {
    icon: FileCheck2,
    title: "Get evidence",
    text: "When it is done, the repository's checks run without the agent: red before, green after, each with its command and log.",
  },
  {
    icon: GitPullRequest,
    title: "Decide",
    text: "The work arrives as a pull request under your name. Nothing is merged until you merge it.",
  },
];

/** What happens here, for somebody who has no session yet. */
export function FirstSteps(): ReactElement {
  return (
    <ol className="grid gap-6 sm:grid-cols-3">
      {STEPS.map(({ icon: Icon, title, text }) => (
        <li key={title}>
          <Icon aria-hidden size={18} className="text-accent" />
          <p className="mt-2 text-base font-medium">{title}</p>
          <p className="mt-1 text-muted">{text}</p>
        </li>
      ))}
    </ol>
  );
}
