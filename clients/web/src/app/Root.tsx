import { Problem } from "@outrider/sdk";
import { Outlet, useLocation } from "@tanstack/react-router";
import type { ReactElement } from "react";

import { useMe } from "@/features/server/queries";
import { useLiveSessions } from "@/features/server/useSessions";
import { SkipLink } from "@/ui/SkipLink";

import { Header } from "./Header";
import { LoginNeeded } from "./LoginNeeded";
import { Offline } from "./Offline";

/** What is around every page. Without a login there is only the way to one. */
export function Root(): ReactElement {
  const me = useMe();
  const joining = useLocation({ select: ({ pathname }) => pathname === "/join" });
  if (joining) return <Outlet />;
  if (me.error instanceof Problem && me.error.needsLogin) return <LoginNeeded />;
  return <Page me={me} />;
}

function Page({ me }: { readonly me: ReturnType<typeof useMe> }): ReactElement {
  useLiveSessions();
  return (
    <div className="flex h-dvh flex-col">
      <SkipLink to="main">Skip to the content</SkipLink>
      <Header />
      {me.error && !me.data && <Offline problem={me.error} onRetry={() => void me.refetch()} />}
      <main id="main" className="min-h-0 flex-1">
        <Outlet />
      </main>
    </div>
  );
}
