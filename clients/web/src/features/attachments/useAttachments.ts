import type { Attachment, AttachmentRef, Me } from "@outrider/protocol";
import { asProblem, Problem } from "@outrider/sdk";
import { useCallback, useEffect, useRef, useState } from "react";

import { api } from "@/features/server/api";
import { useMe } from "@/features/server/queries";
import { bytes, count } from "@/ui/format";

/** A file on its way to the server, or there. */
export interface FileDraft {
  readonly key: string;
  readonly name: string;
  readonly size: number;
  /** What an image looks like, from this browser's own copy. */
  readonly preview: string | null;
  /** How much has been sent, from 0 to 1. */
  readonly share: number;
  readonly done: Attachment | null;
  readonly problem: Problem | null;
}

export interface Attachments {
  readonly drafts: readonly FileDraft[];
  /** What the prompt names. */
  readonly refs: readonly AttachmentRef[];
  /** Whether all that was picked is there: until then the prompt waits. */
  readonly ready: boolean;
  readonly add: (files: Iterable<File>) => void;
  readonly remove: (key: string) => void;
  readonly clear: () => void;
}

const NONE: readonly FileDraft[] = [];

/** The files that a prompt will bring, `first` those that it has already. Each is sent as soon as it is picked. */
export function useAttachments(first: readonly FileDraft[] = NONE): Attachments {
  const [drafts, setDrafts] = useState(first);
  const me = useMe().data;
  const picked = drafts.length;
  const running = useRef(new Map<string, AbortController>());
  const previews = useRef(new Map<string, string>());

  const change = useCallback((key: string, what: Partial<FileDraft>) => {
    setDrafts((all) => all.map((draft) => (draft.key === key ? { ...draft, ...what } : draft)));
  }, []);
  const forget = useCallback((key: string) => {
    running.current.get(key)?.abort();
    running.current.delete(key);
    const preview = previews.current.get(key);
    if (preview) URL.revokeObjectURL(preview);
    previews.current.delete(key);
  }, []);
  const remove = useCallback(
    (key: string) => {
      forget(key);
      setDrafts((all) => all.filter((draft) => draft.key !== key));
    },
    [forget],
  );
  const forgetAll = useCallback(() => {
    for (const key of [...running.current.keys(), ...previews.current.keys()]) forget(key);
  }, [forget]);
  const clear = useCallback(() => {
    forgetAll();
    setDrafts([]);
  }, [forgetAll]);
  useEffect(() => forgetAll, [forgetAll]);

  const add = useCallback(
    (files: Iterable<File>) => {
      for (const [i, file] of [...files].entries()) {
        const problem = me ? refusal(file, picked + i, me) : null;
        const draft = { ...draftOf(file), problem };
        const stop = new AbortController();
        running.current.set(draft.key, stop);
        if (draft.preview) previews.current.set(draft.key, draft.preview);
        setDrafts((all) => [...all, draft]);
        if (problem) continue;
        api
          .upload(file, draft.name, draft.key, (share) => change(draft.key, { share }), stop.signal)
          .then((done) => change(draft.key, { done, share: 1 }))
          .catch((error: unknown) => change(draft.key, { problem: asProblem(error) }));
      }
    },
    [change, picked, me],
  );
  const there = drafts.flatMap((draft) => (draft.done ? [draft.done] : []));
  return {
    drafts,
    refs: there.map(({ id, name }) => ({ id, name })),
    ready: there.length === drafts.length,
    add,
    remove,
    clear,
  };
}

/** A file of a prompt that was sent. */
export function draftSent(session: string, file: Attachment): FileDraft {
  const { id, name, size, media_type: type } = file;
  const preview = type.startsWith("image/") ? api.attachmentUrl(session, id) : null;
  return { key: `${id}/${name}`, name, size, preview, share: 1, done: file, problem: null };
}

/** What the server would say, said before anything is sent. */
function refusal(file: File, before: number, me: Me): Problem | null {
  const raise = "Who runs this deployment can raise";
  if (file.size > me.attachment_bytes) {
    const most = bytes(me.attachment_bytes);
    return new Problem(`${file.name} is too large: ${most} are the most.`, `${raise} OUTRIDER_LIMIT_ATTACHMENT_BYTES.`);
  }
  if (before < me.most_attachments) return null;
  return new Problem(`A prompt may have ${count(me.most_attachments, "file")}.`, `${raise} OUTRIDER_LIMIT_ATTACHMENTS.`);
}

/** A pasted image has no name of its own worth keeping. */
function draftOf(file: File): FileDraft {
  const seen = file.type.startsWith("image/") && file.type !== "image/svg+xml";
  return {
    key: crypto.randomUUID(),
    name: file.name || `pasted.${file.type.split("/")[1] ?? "bin"}`,
    size: file.size,
    preview: seen ? URL.createObjectURL(file) : null,
    share: 0,
    done: null,
    problem: null,
  };
}
