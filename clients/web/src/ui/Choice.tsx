import type { ReactElement } from "react";

const FIELD = "h-8 w-full min-w-0 max-w-44 pointer-coarse:h-9 rounded-md border border-line bg-paper px-2 max-sm:px-1 text-ink hover:border-line-strong";

interface ChoiceProps {
  readonly name: string;
  /** The word for no choice. */
  readonly any?: string;
  readonly value: string;
  readonly options: readonly string[];
  readonly onChange: (value: string) => void;
}

/** One word of several, small. */
export function Choice({ name, any, value, options, onChange }: ChoiceProps): ReactElement {
  return (
    <label className="min-w-0 max-sm:flex-1">
      <span className="sr-only">{name}</span>
      <select value={value} onChange={(event) => onChange(event.target.value)} className={FIELD}>
        {any && <option value="">{any}</option>}
        {value && !options.includes(value) && <option>{value}</option>}
        {options.map((option) => (
          <option key={option}>{option}</option>
        ))}
      </select>
    </label>
  );
}
