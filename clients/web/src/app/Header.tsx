import { Link } from "@tanstack/react-router";
import { Boxes, Clapperboard, GitPullRequest, Monitor, Moon, Sun, type LucideIcon } from "lucide-react";
import type { ReactElement } from "react";

import { useMe } from "@/features/server/queries";
import { IconButton } from "@/ui/Button";
import { useTheme } from "@/ui/theme";
import { REHEARSAL } from "@/ui/words";

import { Account } from "./Account";

/** The name of the product, its pages, light or dark, and who is logged in. */
export function Header(): ReactElement {
  const me = useMe();
  return (
    <header className="flex h-12 shrink-0 items-center gap-3 border-b border-line bg-surface px-4">
      <Link to="/" className="flex shrink-0 items-center gap-2 rounded text-base font-semibold tracking-tight">
        <img src="/favicon.svg" alt="" width={20} height={20} />
        Outrider
      </Link>
      {me.data && !me.data.guest && (
        <nav aria-label="Pages" className="flex shrink-0">
          <PageLink to="/pulls" word="Pull requests" icon={GitPullRequest} />
          <PageLink to="/sandboxes" word="Sandboxes" icon={Boxes} />
        </nav>
      )}
      {me.data?.rehearsal && (
        <span className="inline-flex min-w-0 items-center gap-1.5 text-xs text-warn" title={REHEARSAL}>
          <Clapperboard aria-hidden size={14} className="shrink-0" />
          <span className="truncate sm:hidden">Rehearsal</span>
          <span className="hidden truncate sm:inline">{REHEARSAL}</span>
        </span>
      )}
      <span className="flex-1" />
      <ThemeButton />
      {me.data && <Account me={me.data} />}
    </header>
  );
}

interface PageLinkProps {
  readonly to: "/pulls" | "/sandboxes";
  readonly word: string;
  readonly icon: LucideIcon;
}

function PageLink({ to, word, icon: Icon }: PageLinkProps): ReactElement {
  return (
    <Link
      to={to}
      aria-label={word}
      title={word}
      className="inline-flex h-8 items-center gap-1.5 rounded-md px-2 hover:bg-hover hover:text-ink pointer-coarse:h-9"
      activeProps={{ className: "bg-hover font-medium text-ink" }}
      inactiveProps={{ className: "text-muted" }}
    >
      <Icon aria-hidden size={15} />
      <span className="hidden sm:inline">{word}</span>
    </Link>
  );
}

const THEMES = {
  system: { icon: Monitor, label: "Colours follow the system" },
  light: { icon: Sun, label: "Light colours" },
  dark: { icon: Moon, label: "Dark colours" },
} as const;

function ThemeButton(): ReactElement {
  const { theme, next } = useTheme();
  const { icon: Icon, label } = THEMES[theme];
  return (
    <IconButton label={`${label}: change`} onClick={next}>
      <Icon aria-hidden size={16} />
    </IconButton>
  );
}
