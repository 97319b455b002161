/** What went wrong in one sentence, and what to do about it where something can be done. */
export class Problem extends Error {
  constructor(
    readonly sentence: string,
    readonly remedy: string = "",
    /** The HTTP status; 0 where no answer came at all. */
    readonly status: number = 0,
  ) {
    super(remedy ? `${sentence} ${remedy}` : sentence);
    this.name = "Problem";
  }

  /** Nobody is logged in. */
  get needsLogin(): boolean {
    return this.status === 401;
  }

  /** What was named does not exist. */
  get isNotFound(): boolean {
    return this.status === 404;
  }
}

/** Any thrown value as a Problem. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  return new Problem("Something went wrong in this page.", error instanceof Error ? error.message : "");
}
