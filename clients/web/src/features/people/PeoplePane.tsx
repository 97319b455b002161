import type { Member } from "@outrider/protocol";
import { UserMinus } from "lucide-react";
import type { ReactElement } from "react";

import { api } from "@/features/server/api";
import { useMe } from "@/features/server/queries";
import { IconButton } from "@/ui/Button";
import { Face } from "@/ui/Face";
import { ProblemNotice } from "@/ui/Notice";

import { Links } from "./Links";
import { useMembers, usePeopleChange, type Role } from "./queries";

const ROLES: readonly Role[] = ["viewer", "prompter", "owner"];

const MAY: Record<Role, string> = {
  viewer: "may look, and no more",
  prompter: "may work in this session",
  owner: "may decide for this session",
};

/** Who is in the session, what each may, and the links by which others join. */
export function PeoplePane({ session, membersSeq }: { readonly session: string; readonly membersSeq: number }): ReactElement {
  const members = useMembers(session, membersSeq);
  const me = useMe();
  const setRole = usePeopleChange(session, ({ email, role }: { email: string; role: Role }) => api.setRole(session, email, role));
  const remove = usePeopleChange(session, (email: string) => api.removeMember(session, email));
  const problem = setRole.error ?? remove.error ?? (members.data ? null : members.error);
  const owner = members.data?.yours === "owner";
  return (
    <div className="space-y-6">
      {problem && <ProblemNotice problem={problem} />}
      {members.data && (
        <section>
          <h3 className="mb-2 text-xs font-medium text-muted">Members</h3>
          <ul className="space-y-1">
            {members.data.members.map((member) => (
              <Row
                key={member.person.email}
                member={member}
                own={member.person.email === me.data?.person.email}
                owner={owner}
                onRole={(role) => setRole.mutate({ email: member.person.email, role })}
                onRemove={() => remove.mutate(member.person.email)}
              />
            ))}
          </ul>
          <p className="mt-3 text-muted">
            You {MAY[members.data.yours]}.{" "}
            {members.data.others
              ? `Everybody else who is logged in ${MAY[members.data.others]}.`
              : "Nobody else sees this session."}
          </p>
        </section>
      )}
      {owner && <Links session={session} />}
    </div>
  );
}

interface RowProps {
  readonly member: Member;
  readonly own: boolean;
  readonly owner: boolean;
  readonly onRole: (role: Role) => void;
  readonly onRemove: () => void;
}

function Row({ member, own, owner, onRole, onRemove }: RowProps): ReactElement {
  const { person, role, guest } = member;
  return (
    <li className="flex min-h-10 items-center gap-2.5">
      <Face name={person.name} />
      <span className="min-w-0 flex-1">
        <span className="block truncate font-medium">
          {person.name}
          {own && <span className="font-normal text-muted"> (you)</span>}
          {guest && <span className="font-normal text-muted"> (a guest)</span>}
        </span>
        <span className="block truncate text-xs text-muted">{person.email}</span>
      </span>
      {owner ? (
        <select
          aria-label={`Role of ${person.name}`}
          value={role}
          onChange={(event) => onRole(event.target.value as Role)}
          className="h-8 rounded-md border border-line-strong bg-raised px-2 pointer-coarse:h-9"
        >
          {ROLES.map((one) => (
            <option key={one}>{one}</option>
          ))}
        </select>
      ) : (
        <span className="text-muted">{role}</span>
      )}
      {(owner || own) && (
        <IconButton label={own ? "Leave the session" : `Remove ${person.name}`} onClick={onRemove}>
          <UserMinus aria-hidden size={15} />
        </IconButton>
      )}
    </li>
  );
}
