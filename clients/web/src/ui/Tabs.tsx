import type { KeyboardEvent, ReactElement } from "react";

interface TabsProps<T extends string> {
  readonly label: string;
  readonly tabs: readonly { readonly id: T; readonly word: string; readonly count?: number }[];
  readonly chosen: T;
  readonly onChoose: (tab: T) => void;
  /** Id of what the tabs change. */
  readonly controls: string;
  readonly className?: string;
}

/** Tabs as the keyboard expects them: one stop, arrows between. */
export function Tabs<T extends string>({ label, tabs, chosen, onChoose, controls, className = "" }: TabsProps<T>): ReactElement {
  const step = (event: KeyboardEvent<HTMLDivElement>): void => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (by === undefined) return;
    const visible = [...event.currentTarget.querySelectorAll<HTMLElement>("[role=tab]")].filter((tab) => tab.offsetParent);
    const next = visible.at((visible.indexOf(document.activeElement as HTMLElement) + by) % visible.length);
    next?.focus();
    next?.click();
  };
  return (
    <div role="tablist" aria-label={label} tabIndex={-1} onKeyDown={step} className={`flex gap-1 ${className}`}>
      {tabs.map((tab) => (
        <button
          key={tab.id}
          type="button"
          role="tab"
          aria-selected={tab.id === chosen}
          aria-controls={controls}
          tabIndex={tab.id === chosen ? 0 : -1}
          onClick={() => onChoose(tab.id)}
          className={`h-11 border-b-2 px-2 font-medium ${
            tab.id === chosen ? "border-accent text-ink" : "border-transparent text-muted hover:text-ink"
          }`}
        >
          {tab.word}
          {tab.count !== undefined && tab.count > 0 && <span className="tabular ml-1 text-xs text-muted">{tab.count}</span>}
        </button>
      ))}
    </div>
  );
}
