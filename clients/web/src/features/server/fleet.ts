import type { BranchImages, Build, ImageList, LimitUse, PoolReport } from "@outrider/protocol";
import type { Problem } from "@outrider/sdk";
import { useMutation, useQuery, useQueryClient, type UseMutationResult, type UseQueryResult } from "@tanstack/react-query";

import { api } from "./api";

const INTERVAL_MS = 3_000;
const SLOW_INTERVAL_MS = 15_000;

export function useImages(): UseQueryResult<ImageList> {
  return useQuery({ queryKey: ["images"], queryFn: () => api.images(), refetchInterval: INTERVAL_MS });
}

export function usePool(): UseQueryResult<PoolReport> {
  return useQuery({ queryKey: ["pool"], queryFn: () => api.pool(), refetchInterval: INTERVAL_MS });
}

export function useLimits(): UseQueryResult<readonly LimitUse[]> {
  return useQuery({ queryKey: ["limits"], queryFn: () => api.limits(), refetchInterval: SLOW_INTERVAL_MS });
}

interface BuildActions {
  readonly build: UseMutationResult<Build, Problem, BranchImages>;
  readonly cancel: UseMutationResult<Build, Problem, string>;
}

/** Ask for a build of a branch, or stop one; the list is asked for again. */
export function useBuildActions(): BuildActions {
  const client = useQueryClient();
  const onSettled = (): Promise<void> => client.invalidateQueries({ queryKey: ["images"] });
  return {
    build: useMutation({ mutationFn: (row) => api.buildImage(row.repository, row.branch), onSettled }),
    cancel: useMutation({ mutationFn: (build) => api.cancelBuild(build), onSettled }),
  };
}
