import type { Attachment } from "@outrider/protocol";

import { Problem } from "./problem";
import { parse, refusal } from "./refusal";

export interface UploadOf {
  readonly url: string;
  readonly file: Blob;
  readonly key: string;
  readonly onProgress: (share: number) => void;
  readonly signal: AbortSignal;
}

/** Sends a file and tells how far it is, which `fetch` cannot. */
export function sendFile({ url, file, key, onProgress, signal }: UploadOf): Promise<Attachment> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", url);
    request.setRequestHeader("content-type", "application/octet-stream");
    request.setRequestHeader("idempotency-key", key);
    request.upload.onprogress = ({ loaded, total }) => onProgress(total ? loaded / total : 0);
    request.onload = () => {
      if (request.status === 201) resolve(parse(request.responseText) as Attachment);
      else reject(refusal(request.status, request.responseText));
    };
    request.onerror = () => reject(new Problem("The file could not be sent.", "Is it small enough? Is the server running?"));
    request.onabort = () => reject(new Problem("The file was taken away."));
    signal.addEventListener("abort", () => request.abort());
    request.send(file);
  });
}
