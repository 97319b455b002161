import { useCallback, useState } from "react";

export type Theme = "system" | "light" | "dark";

const KEY = "outrider-theme";
const NEXT: Record<Theme, Theme> = { system: "light", light: "dark", dark: "system" };

/** The chosen theme and a step to the next one. `public/theme.js` applies it before the first paint. */
export function useTheme(): { readonly theme: Theme; readonly next: () => void } {
  const [theme, setTheme] = useState<Theme>(() => (document.documentElement.dataset.theme as Theme | undefined) ?? "system");
  const next = useCallback(() => {
    const chosen = NEXT[theme];
    if (chosen === "system") {
      delete document.documentElement.dataset.theme;
      localStorage.removeItem(KEY);
    } else {
      document.documentElement.dataset.theme = chosen;
      localStorage.setItem(KEY, chosen);
    }
    setTheme(chosen);
  }, [theme]);
  return { theme, next };
}
