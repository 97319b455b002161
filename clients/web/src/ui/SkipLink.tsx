import type { ReactElement } from "react";

/** Seen only when the keyboard comes to it: leads past what stands in between, to the element with this id. */
export function SkipLink({ to, children }: { readonly to: string; readonly children: string }): ReactElement {
  return (
    <a
      href={`#${to}`}
      className="sr-only focus:not-sr-only focus:absolute focus:z-10 focus:m-2 focus:rounded-md focus:bg-raised focus:p-2"
    >
      {children}
    </a>
  );
}
