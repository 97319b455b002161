import type { Me, PullRequest, PullRequestPage, Repository, SearchHit, SessionSummary } from "@outrider/protocol";
import type { Problem, Wanted } from "@outrider/sdk";
import {
  keepPreviousData,
  QueryClient,
  useMutation,
  useQuery,
  useQueryClient,
  type UseMutationResult,
  type UseQueryResult,
} from "@tanstack/react-query";

import { api } from "./api";

/** How often pull requests are asked for again while they are looked at. Sessions are told of by their feeds. */
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

/** What was found for the words; the last finds stay while new ones come. */
export function useSearch(wanted: Wanted): UseQueryResult<readonly SearchHit[]> {
  return useQuery({
    queryKey: ["search", wanted],
    queryFn: () => api.search(wanted),
    enabled: wanted.text !== "",
    placeholderData: keepPreviousData,
  });
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

export function usePullRequests(): UseQueryResult<readonly PullRequest[]> {
  return useQuery({
    queryKey: ["pull-requests"],
    queryFn: () => api.pullRequests(),
    refetchInterval: SLOW_LIST_INTERVAL_MS,
  });
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
