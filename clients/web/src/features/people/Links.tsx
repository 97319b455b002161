import type { Invite } from "@outrider/protocol";
import { Check, Copy, Link2, X } from "lucide-react";
import { useState, type FormEvent, type ReactElement } from "react";

import { api } from "@/features/server/api";
import { Button, IconButton } from "@/ui/Button";
import { ProblemNotice } from "@/ui/Notice";
import { Time } from "@/ui/Time";

import { makeLink, useLinks, usePeopleChange, type Role } from "./queries";

const FIELD = "h-8 w-full rounded-md border border-line-strong bg-raised px-2 pointer-coarse:h-9";

/** Make, list and revoke links by which people join. */
export function Links({ session }: { readonly session: string }): ReactElement {
  const links = useLinks(session, true);
  const make = usePeopleChange(session, makeLink(session));
  const revoke = usePeopleChange(session, (link: string) => api.revokeLink(session, link));
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    make.mutate({ role: form.get("role") as Role, hours: Number(form.get("hours")), uses: Number(form.get("uses")) });
  };
  const problem = make.error ?? revoke.error;
  return (
    <section className="space-y-3">
      <h3 className="text-xs font-medium text-muted">Links to join</h3>
      <form onSubmit={submit} className="grid grid-cols-3 gap-2">
        <label className="text-xs text-muted">
          As
          <select name="role" defaultValue="prompter" className={`${FIELD} text-sm text-ink`}>
            <option>viewer</option>
            <option>prompter</option>
            <option>owner</option>
          </select>
        </label>
        <label className="text-xs text-muted">
          For
          <select name="hours" defaultValue="24" className={`${FIELD} text-sm text-ink`}>
            <option value="1">an hour</option>
            <option value="24">a day</option>
            <option value="168">a week</option>
          </select>
        </label>
        <label className="text-xs text-muted">
          People
          <input name="uses" type="number" min={1} max={1000} defaultValue={1} className={`${FIELD} tabular text-sm text-ink`} />
        </label>
        <Button type="submit" disabled={make.isPending} className="col-span-3">
          <Link2 aria-hidden size={14} />
          Make a link
        </Button>
      </form>
      {problem && <ProblemNotice problem={problem} />}
      {make.data && <Fresh url={make.data} />}
      <ul className="space-y-1">
        {links.data?.map((link) => <Row key={link.id} link={link} onRevoke={() => revoke.mutate(link.id)} />)}
      </ul>
    </section>
  );
}

/** The link, shown this once. */
function Fresh({ url }: { readonly url: string }): ReactElement {
  const [copied, setCopied] = useState(false);
  const copy = (): void => void navigator.clipboard.writeText(url).then(() => setCopied(true));
  return (
    <div className="flex items-center gap-2 rounded-lg border border-line bg-surface p-2">
      <input
        readOnly
        aria-label="The link"
        value={url}
        onFocus={(event) => event.target.select()}
        className="min-w-0 flex-1 bg-transparent px-1 font-mono text-xs outline-none"
      />
      <Button onClick={copy}>
        {copied ? <Check aria-hidden size={14} /> : <Copy aria-hidden size={14} />}
        {copied ? "Copied" : "Copy"}
      </Button>
    </div>
  );
}

function Row({ link, onRevoke }: { readonly link: Invite; readonly onRevoke: () => void }): ReactElement {
  return (
    <li className="flex min-h-9 items-center gap-2">
      <span className="min-w-0 flex-1 [overflow-wrap:anywhere]">
        As {link.role}, {link.used} of {link.uses} used
        <span className="text-muted">
          {" "}
          · by {link.by.name}, <Time at={link.made_at} />
        </span>
      </span>
      <IconButton label="Revoke this link" onClick={onRevoke}>
        <X aria-hidden size={15} />
      </IconButton>
    </li>
  );
}
