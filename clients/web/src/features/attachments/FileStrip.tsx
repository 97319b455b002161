import type { Attachment } from "@outrider/protocol";
import { FileText } from "lucide-react";
import type { ReactElement } from "react";

import { api } from "@/features/server/api";
import { bytes } from "@/ui/format";

interface FileStripProps {
  readonly session: string;
  readonly files: readonly Attachment[];
}

/** The files of a prompt that was sent: images to be seen, others by name; each can be saved. */
export function FileStrip({ session, files }: FileStripProps): ReactElement | null {
  if (files.length === 0) return null;
  return (
    <ul aria-label="Files of this prompt" className="mt-3 flex flex-wrap items-end gap-2">
      {files.map((file) => (
        <li key={`${file.id}/${file.name}`} className="max-w-full">
          <a
            href={api.attachmentUrl(session, file.id)}
            download={file.name}
            title={`${file.name}, ${file.media_type}, ${bytes(file.size)}`}
            className="block rounded-lg border border-line bg-raised hover:border-line-strong"
          >
            {file.media_type.startsWith("image/") ? (
              <img
                src={api.attachmentUrl(session, file.id)}
                alt={file.name}
                loading="lazy"
                className="h-24 max-w-full rounded-lg object-contain"
              />
            ) : (
              <span className="flex items-center gap-2 px-2.5 py-1.5">
                <FileText aria-hidden size={16} className="shrink-0 text-muted" />
                <span className="max-w-52 truncate">{file.name}</span>
                <span className="tabular text-xs text-muted">{bytes(file.size)}</span>
              </span>
            )}
          </a>
        </li>
      ))}
    </ul>
  );
}
