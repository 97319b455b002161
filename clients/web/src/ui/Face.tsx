import type { ReactElement } from "react";

import { initials } from "./format";

/** A person as their initials, always in the same hue. */
export function Face({ name, size = 24 }: { readonly name: string; readonly size?: number }): ReactElement {
  const background = `light-dark(oklch(0.9 0.05 ${hue(name)}), oklch(0.4 0.06 ${hue(name)}))`;
  return (
    <span
      aria-hidden
      title={name}
      className="inline-grid shrink-0 place-items-center rounded-full font-semibold text-ink"
      style={{ width: size, height: size, background, fontSize: Math.round(size * 0.4) }}
    >
      {initials(name)}
    </span>
  );
}

function hue(name: string): number {
  let sum = 7;
  for (const letter of name) sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) % 360;
  return sum;
}
