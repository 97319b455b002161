import type { LinkShown } from "@outrider/protocol";
import { asProblem, type Problem } from "@outrider/sdk";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { UsersRound } from "lucide-react";
import type { FormEvent, ReactElement, ReactNode } from "react";

import { api } from "@/features/server/api";
import { Button } from "@/ui/Button";
import { ProblemNotice } from "@/ui/Notice";

import { useTitle } from "./useTitle";

const FIELD = "mt-1 h-10 w-full rounded-md border border-line-strong bg-raised px-3 text-base text-ink";

/** Follow a link into a session: at once with a login, else with a name and an email. The link's secret stands behind the
 * `#`, which the browser sends to nobody by itself. */
export default function JoinPage(): ReactElement {
  useTitle("Join a session");
  const token = location.hash.slice(1);
  const link = useQuery<LinkShown, Problem>({ queryKey: ["link", token], queryFn: () => api.lookAtLink(token), retry: false });
  const navigate = useNavigate();
  const client = useQueryClient();
  const join = useMutation({
    mutationFn: (form: FormData | null) =>
      api.join(token, form && { name: text(form, "name"), email: text(form, "email") }),
    onSuccess: async ({ session }) => {
      await client.resetQueries({ queryKey: ["me"] });
      await navigate({ to: "/sessions/$session", params: { session }, replace: true });
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    join.mutate(link.data?.you ? null : new FormData(event.currentTarget));
  };
  if (link.error) return <Frame title="This link does not lead in"><ProblemNotice problem={link.error} /></Frame>;
  if (!link.data) return <Frame title="Looking at the link…">{null}</Frame>;
  const { title, role, by, you } = link.data;
  return (
    <Frame title={title}>
      <p className="text-base text-muted">
        {by.name} invites you to this session as {role === "owner" ? "an owner" : `a ${role}`}.
      </p>
      <form onSubmit={submit} className="mt-5 space-y-3">
        {you ? (
          <p>
            You are logged in as <span className="font-medium">{you.name}</span>.
          </p>
        ) : (
          <>
            <label className="block text-muted">
              Your name
              <input name="name" required maxLength={200} autoComplete="name" className={FIELD} />
            </label>
            <label className="block text-muted">
              Your email
              <input name="email" type="email" required maxLength={254} autoComplete="email" className={FIELD} />
            </label>
            <p className="text-xs text-muted">Both are shown to the others, and stand in the commits of your prompts.</p>
          </>
        )}
        {join.error && <ProblemNotice problem={asProblem(join.error)} />}
        <Button type="submit" look="primary" disabled={join.isPending} className="h-10 w-full">
          Join the session
        </Button>
      </form>
    </Frame>
  );
}

function text(form: FormData, name: string): string {
  const value = form.get(name);
  return typeof value === "string" ? value.trim() : "";
}

function Frame({ title, children }: { readonly title: string; readonly children: ReactNode }): ReactElement {
  return (
    <main className="grid min-h-dvh place-items-center px-4">
      <div className="w-full max-w-md">
        <UsersRound aria-hidden size={24} className="text-accent" />
        <h1 className="mt-3 mb-2 text-xl font-semibold tracking-tight [overflow-wrap:anywhere]">{title}</h1>
        {children}
      </div>
    </main>
  );
}
