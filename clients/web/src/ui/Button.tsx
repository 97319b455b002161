import type { ButtonHTMLAttributes, ReactElement, Ref } from "react";

type Look = "primary" | "plain" | "quiet" | "danger";

const LOOK: Record<Look, string> = {
  primary: "border-transparent bg-accent text-on-accent hover:opacity-90",
  plain: "border-line-strong bg-raised text-ink hover:bg-hover",
  quiet: "border-transparent text-muted hover:bg-hover hover:text-ink",
  danger: "border-transparent bg-fail text-paper hover:opacity-90",
};

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  readonly look?: Look;
  readonly ref?: Ref<HTMLButtonElement>;
}

/** A button with its word on it. */
export function Button({ look = "plain", className = "", type = "button", ...rest }: ButtonProps): ReactElement {
  const shape = "inline-flex h-8 items-center pointer-coarse:h-9 justify-center gap-1.5 rounded-md border px-3 font-medium whitespace-nowrap";
  return (
    <button
      type={type}
      className={`${shape} disabled:cursor-default disabled:opacity-50 ${LOOK[look]} ${className}`}
      {...rest}
    />
  );
}

/** A small button that is only an icon; `label` is what it does. */
export function IconButton({
  label,
  className = "",
  ...rest
}: ButtonHTMLAttributes<HTMLButtonElement> & { readonly label: string }): ReactElement {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      className={`inline-grid size-7 shrink-0 pointer-coarse:size-9 place-items-center rounded-md text-muted hover:bg-hover hover:text-ink
        disabled:pointer-events-none disabled:opacity-40 ${className}`}
      {...rest}
    />
  );
}
