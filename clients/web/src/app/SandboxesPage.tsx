import type { ReactElement } from "react";

import { Images } from "@/features/fleet/Images";
import { Limits } from "@/features/fleet/Limits";
import { WarmPool } from "@/features/fleet/WarmPool";
import { useMe } from "@/features/server/queries";
import { ISOLATION, LIMITS, wordFor } from "@/ui/words";

import { useTitle } from "./useTitle";

/** What sessions start from, and within which limits: how sandboxes are isolated, the warm ones, images, limits. */
export default function SandboxesPage(): ReactElement {
  useTitle("Sandboxes");
  const me = useMe();
  return (
    <div className="h-full overflow-y-auto">
      <div className="mx-auto max-w-3xl space-y-12 px-4 pt-8 pb-16 sm:pt-14">
        <header>
          <h1 className="text-2xl font-semibold tracking-tight">Sandboxes</h1>
          {me.data?.isolation && (
            <p className="mt-1 text-muted">
              {me.data.provider && `${me.data.provider}: `}
              {wordFor(ISOLATION, me.data.isolation)}
              {me.data.limit_tier && `, ${wordFor(LIMITS, me.data.limit_tier)}`}
            </p>
          )}
        </header>
        <WarmPool />
        <Images />
        <Limits />
      </div>
    </div>
  );
}
