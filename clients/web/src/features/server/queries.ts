import type { Me, PullRequest, PullRequestPage, Repository, SearchHit, SessionSummary } from "@outrider/protocol";
import type { Problem } from "@outrider/sdk";
import {
  keepPreviousData,
  QueryClient,
  useMutation,
  useQuery,
  useQueryClient,
  type UseMutationResult,
  type UseQueryResult,
} from "@tanstack/react-query";

import { useEffect } from "react";

import { api } from "./api";

/** How often lists are asked for again while they are looked at. A session's own page is told by its feed. */
const LIST_INTERVAL_MS = 5_000;
const SLOW_LIST_INTERVAL_MS = 30_000;

declare module "@tanstack/react-query" {
  interface Register {
    defaultError: Problem;
  }
}

export function makeQueryClient(): QueryClient {
  const retry = (count: number, problem: Problem): boolean => problem.status === 0 && count < 3;
  return new QueryClient({ defaultOptions: { queries: { retry, staleTime: 2_000 } } });
}

export function useMe(): UseQueryResult<Me> {
  return useQuery({ queryKey: ["me"], queryFn: () => api.me(), staleTime: 60_000 });
}

export function useSessions(): UseQueryResult<readonly SessionSummary[]> {
  return useQuery({ queryKey: ["sessions"], queryFn: () => api.sessions(), refetchInterval: LIST_INTERVAL_MS });
}

/** What was found for these words; the last finds stay while new ones come. */
export function useSearch(words: string): UseQueryResult<readonly SearchHit[]> {
  return useQuery({
    queryKey: ["search", words],
    queryFn: () => api.search(words),
    enabled: words !== "",
    placeholderData: keepPreviousData,
  });
}

/** Asks for the list of sessions again when the one that is looked at has another status. */
export function useFreshList(status: string): void {
  const client = useQueryClient();
  useEffect(() => void client.invalidateQueries({ queryKey: ["sessions"] }), [client, status]);
}

export function useSessionSummary(session: string | null): UseQueryResult<SessionSummary> {
  return useQuery({
    queryKey: ["session", session],
    queryFn: () => api.session(session ?? ""),
    enabled: session !== null,
  });
}

export function useRepositories(): UseQueryResult<readonly Repository[]> {
  return useQuery({ queryKey: ["repositories"], queryFn: () => api.repositories(), staleTime: 30_000 });
}

export function usePullRequest(repository: string, number: number | null): UseQueryResult<PullRequestPage> {
  return useQuery({
    queryKey: ["pull-request", repository, number],
    queryFn: () => api.pullRequest(repository, number ?? 0),
    enabled: number !== null,
    refetchInterval: SLOW_LIST_INTERVAL_MS,
  });
}

/** Merge or close a pull request; its page and the lists are asked for again. */
export function useDecision(
  repository: string,
  number: number,
): UseMutationResult<PullRequest, Problem, "merge" | "close"> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (decision) => (decision === "merge" ? api.merge(repository, number) : api.close(repository, number)),
    onSettled: () => client.invalidateQueries(),
  });
}
