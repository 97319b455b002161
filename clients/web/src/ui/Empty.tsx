import type { ReactElement, ReactNode } from "react";

/** Nothing here yet, and what will be. */
export function Empty({ title, children }: { readonly title: string; readonly children?: ReactNode }): ReactElement {
  return (
    <div className="rounded-xl border border-dashed border-line-strong px-5 py-6">
      <p className="text-base font-medium">{title}</p>
      {children && <div className="mt-1 max-w-prose text-muted">{children}</div>}
    </div>
  );
}
