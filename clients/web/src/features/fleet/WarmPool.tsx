import type { PoolReport, WarmPhase, WarmView } from "@outrider/protocol";
import { Flame, Hand, LoaderCircle } from "lucide-react";
import type { ReactElement } from "react";

import { usePool } from "@/features/server/fleet";
import { Empty } from "@/ui/Empty";
import { seconds, shortHash } from "@/ui/format";
import { Inline } from "@/ui/Inline";
import { Notice, ProblemNotice } from "@/ui/Notice";
import { State, type StateProps } from "@/ui/State";

/** Sandboxes that are ready before anybody asks. */
export function WarmPool(): ReactElement {
  const pool = usePool();
  return (
    <section aria-labelledby="pool">
      <h2 id="pool" className="text-lg font-semibold">
        Warm pool
      </h2>
      <p className="mb-3 max-w-prose text-muted">
        Sandboxes made from an image ahead of time, services up and engine started. Typing a prompt holds one.
      </p>
      {pool.error && <ProblemNotice problem={pool.error} />}
      {pool.data && <Pool pool={pool.data} />}
    </section>
  );
}

function Pool({ pool }: { readonly pool: PoolReport }): ReactElement {
  if (pool.most === 0) {
    return (
      <Empty title="The pool is off">
        <Inline text="`OUTRIDER_POOL` says how many sandboxes may wait at once." />
      </Empty>
    );
  }
  const warm = pool.sandboxes ?? [];
  return (
    <div className="space-y-3">
      <Numbers pool={pool} />
      {pool.pressed && <Notice tone="warning">Memory is short: the pool shrinks and starts no more sandboxes.</Notice>}
      {pool.last_failure && <Notice tone="warning">{pool.last_failure}</Notice>}
      {warm.length === 0 ? (
        <Empty title="None is warm now">
          A sandbox waits for each repository that has an image and was used lately, or whose outrider.toml asks for it.
        </Empty>
      ) : (
        <ul className="divide-y divide-line border-y border-line">
          {warm.map((sandbox) => (
            <Warm key={sandbox.id} sandbox={sandbox} />
          ))}
        </ul>
      )}
    </div>
  );
}

function Numbers({ pool }: { readonly pool: PoolReport }): ReactElement {
  const { counts, hit_rate: rate } = pool;
  const misses = Object.entries(counts?.misses ?? {});
  const missed = misses.reduce((sum, [, number]) => sum + number, 0);
  return (
    <dl className="flex flex-wrap gap-x-8 gap-y-2">
      <Figure name="Warm now">
        {pool.sandboxes?.length ?? 0} of {pool.most}
      </Figure>
      <Figure name="Hit rate">{rate == null ? "no session yet" : `${Math.round(rate * 100)} %`}</Figure>
      <Figure name="Sessions">
        {counts?.hits ?? 0} warm, {missed} not
      </Figure>
      {counts?.refill_seconds_median != null && (
        <Figure name="To make one">{seconds(counts.refill_seconds_median)}</Figure>
      )}
      {misses.length > 0 && (
        <Figure name="Why not">{misses.map(([why, number]) => `${number}× ${why}`).join(", ")}</Figure>
      )}
    </dl>
  );
}

function Figure({ name, children }: { readonly name: string; readonly children: React.ReactNode }): ReactElement {
  return (
    <div>
      <dt className="text-xs text-muted">{name}</dt>
      <dd className="tabular">{children}</dd>
    </div>
  );
}

const PHASE: Record<WarmPhase, StateProps> = {
  starting: { icon: LoaderCircle, word: "starting", tone: "accent", live: true },
  ready: { icon: Flame, word: "ready", tone: "pass" },
  held: { icon: Hand, word: "held", tone: "plain" },
};

function Warm({ sandbox }: { readonly sandbox: WarmView }): ReactElement {
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-0.5 py-2">
      <span className="min-w-0 truncate font-medium">
        {sandbox.repository} <span className="font-normal text-muted">{sandbox.branch}</span>
      </span>
      <span className="text-xs">
        <State {...PHASE[sandbox.phase]} />
      </span>
      {sandbox.held_for && <span className="text-xs text-muted">for {sandbox.held_for}</span>}
      <span className="tabular text-xs text-muted">{shortHash(sandbox.commit)}</span>
      <span className="tabular text-xs text-muted">{seconds(sandbox.age_seconds)} old</span>
      {sandbox.stale && <span className="text-xs text-warn">an image is newer: it is replaced</span>}
    </li>
  );
}
