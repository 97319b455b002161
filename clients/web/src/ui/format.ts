const RELATIVE = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const EXACT = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const NUMBER = new Intl.NumberFormat("en");
const COMPACT = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const UNITS: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ["year", 365 * 86_400],
  ["month", 30 * 86_400],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

/** A duration in few characters. */
export function seconds(value: number): string {
  if (value < 60) return `${value < 10 ? value.toFixed(1) : Math.round(value)} s`;
  const whole = Math.round(value);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** How long ago, such as `5 minutes ago`. */
export function ago(at: string, now: number): string {
  const passed = (now - Date.parse(at)) / 1000;
  const unit = UNITS.find(([, length]) => passed >= length);
  return unit ? RELATIVE.format(-Math.floor(passed / unit[1]), unit[0]) : "just now";
}

/** How long until then, such as `in 5 minutes`. */
export function ahead(at: string, now: number): string {
  const left = Math.max(0, (Date.parse(at) - now) / 1000);
  const unit = UNITS.find(([, length]) => left >= length);
  return unit ? RELATIVE.format(Math.ceil(left / unit[1]), unit[0]) : "in a moment";
}

/** How long ago, where there is no room for words: `5 min`. */
export function agoBriefly(at: string, now: number): string {
  const passed = (now - Date.parse(at)) / 1000;
  if (passed < 60) return "now";
  if (passed < 3_600) return `${Math.floor(passed / 60)} min`;
  return passed < 86_400 ? `${Math.floor(passed / 3_600)} h` : `${Math.floor(passed / 86_400)} d`;
}

export function exactTime(at: string): string {
  return EXACT.format(new Date(at));
}

/** `1 test`, `2 tests`. */
export function count(number: number, one: string, many = `${one}s`): string {
  return `${NUMBER.format(number)} ${number === 1 ? one : many}`;
}

export function number(value: number): string {
  return NUMBER.format(value);
}

export function compact(number: number): string {
  return COMPACT.format(number);
}

/** Money as the gateway counted it. A cost whose price is not known is said, never shown as nothing. */
export function cost(usd: number, unpriced = 0): string {
  const known = `$${usd.toFixed(usd < 0.1 ? 4 : 2)}`;
  if (unpriced === 0) return known;
  return usd > 0 ? `${known} and calls of unknown price` : "price not known";
}

export function shortHash(sha: string): string {
  return sha.slice(0, 7);
}

const SIZES = ["B", "kB", "MB", "GB", "TB"];

export function bytes(size: number): string {
  let step = 0;
  for (; size >= 1024 && step < SIZES.length - 1; step++) size /= 1024;
  return `${Number(size.toFixed(1))} ${SIZES[step]}`;
}

/** A duration that somebody chose, such as `6 h` or `1 min 30 s`. */
export function span(value: number): string {
  const parts = [Math.floor(value / 3600), Math.floor((value % 3600) / 60), Number((value % 60).toFixed(1))];
  const words = parts.flatMap((part, i) => (part > 0 ? [`${part} ${["h", "min", "s"][i]}`] : []));
  return words.join(" ") || "0 s";
}

export function initials(name: string): string {
  const parts = name.trim().split(/\s+/);
  const letters = [parts[0], parts.length > 1 ? parts.at(-1) : undefined].map((part) => part?.[0] ?? "");
  return letters.join("").toUpperCase();
}
