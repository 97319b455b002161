import type { Invite, Member, MemberList, NewInvite } from "@outrider/protocol";
import type { Problem } from "@outrider/sdk";
import { useMutation, useQuery, useQueryClient, type UseMutationResult, type UseQueryResult } from "@tanstack/react-query";

import { api } from "@/features/server/api";

export type Role = Member["role"];

/** The people of a session; asked for again with each event about members. */
export function useMembers(session: string, membersSeq: number): UseQueryResult<MemberList> {
  return useQuery({ queryKey: ["members", session, membersSeq], queryFn: () => api.members(session), staleTime: 60_000 });
}

export function useLinks(session: string, enabled: boolean): UseQueryResult<readonly Invite[]> {
  return useQuery({ queryKey: ["links", session], queryFn: () => api.links(session), enabled });
}

/** Does something about people, then asks again who there is and which links. */
export function usePeopleChange<T, R>(session: string, change: (what: T) => Promise<R>): UseMutationResult<R, Problem, T> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSettled: () =>
      Promise.all([
        client.invalidateQueries({ queryKey: ["members", session] }),
        client.invalidateQueries({ queryKey: ["links", session] }),
      ]),
  });
}

export function makeLink(session: string): (wanted: NewInvite) => Promise<string> {
  return async (wanted) => (await api.makeLink(session, wanted)).url;
}
