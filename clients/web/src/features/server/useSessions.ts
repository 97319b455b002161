import type { SessionSummary } from "@outrider/protocol";
import { EVERYTHING, LiveList, withRows, type Wanted } from "@outrider/sdk";
import { useQuery, useQueryClient, type QueryClient, type UseQueryResult } from "@tanstack/react-query";
import { useEffect } from "react";

import { api, socketOrigin } from "./api";

type Rows = readonly SessionSummary[];

let live: LiveList | null = null;

/** The sessions that are wanted, kept up to date by `useLiveSessions`. */
export function useSessions(wanted: Wanted = EVERYTHING): UseQueryResult<Rows> {
  return useQuery({
    queryKey: ["sessions", wanted],
    queryFn: async () => withRows(await api.sessions(wanted), live?.kept ?? [], wanted),
    staleTime: Infinity,
  });
}

/** Keeps every list of sessions up to date while this is on the page: once, around all pages. */
export function useLiveSessions(): void {
  const client = useQueryClient();
  useEffect(() => {
    const list = openList(client);
    const look = (): void => {
      if (document.visibilityState === "visible") list.nudge();
    };
    addEventListener("online", look);
    document.addEventListener("visibilitychange", look);
    return () => {
      removeEventListener("online", look);
      document.removeEventListener("visibilitychange", look);
      list.close();
      live = null;
    };
  }, [client]);
}

function openList(client: QueryClient): LiveList {
  const list = new LiveList({
    origin: socketOrigin,
    probe: () => api.me(),
    stale: () => void client.invalidateQueries({ queryKey: ["sessions"] }),
    rows: (rows) => {
      for (const [key] of client.getQueriesData<Rows>({ queryKey: ["sessions"] })) {
        const wanted = key[1] as Wanted;
        client.setQueryData<Rows>(key, (known) => known && withRows(known, rows, wanted));
      }
    },
  });
  live = list;
  list.open();
  return list;
}
