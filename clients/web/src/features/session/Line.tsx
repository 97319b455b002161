import { ChevronRight, type LucideIcon } from "lucide-react";
import { useId, useState, type ReactElement, type ReactNode } from "react";

interface LineProps {
  readonly icon: LucideIcon;
  readonly iconClass?: string;
  readonly children: ReactNode;
  /** What stands at the right end: the result and how long it took. */
  readonly end?: ReactNode;
  /** What the line opens to; asked for only when it is open. */
  readonly detail?: (() => ReactNode) | undefined;
  /** Whether a long text goes on in a second line instead of being cut. */
  readonly wraps?: boolean;
  readonly startsOpen?: boolean;
}

const ROW = "flex min-h-7 w-full pointer-coarse:min-h-9 items-center gap-2 rounded-md px-2 py-0.5 text-left";

/** One quiet line of the transcript. Where there is more to see, it opens in place. */
export function Line({ icon: Icon, iconClass = "text-muted", children, end, detail, wraps = false, startsOpen = false }: LineProps): ReactElement {
  const [open, setOpen] = useState(startsOpen);
  const id = useId();
  const content = (
    <>
      <Icon aria-hidden size={15} className={`shrink-0 ${iconClass}`} />
      <span className={`min-w-0 flex-1 ${wraps ? "" : "truncate"}`}>{children}</span>
      {end && <span className="flex shrink-0 items-center gap-2.5 text-xs text-muted">{end}</span>}
    </>
  );
  if (!detail) return <div className={`-mx-2 ${ROW} pr-7.5`}>{content}</div>;
  return (
    <div className="-mx-2">
      <button
        type="button"
        aria-expanded={open}
        aria-controls={id}
        onClick={() => setOpen(!open)}
        className={`${ROW} hover:bg-hover`}
      >
        {content}
        <ChevronRight aria-hidden size={14} className={`shrink-0 text-muted ${open ? "rotate-90" : ""}`} />
      </button>
      {open && (
        <div id={id} className="mt-1 mb-3 ml-8 space-y-2 pr-2">
          {detail()}
        </div>
      )}
    </div>
  );
}
