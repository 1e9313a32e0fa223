/** What a reader is told of an error, whatever was thrown. */
export interface ProblemText {
  title: string;
  detail: string;
  where: string | null;
  requestId: string | null;
}

/** Reads a problem document (RFC 9457), an error that carries one as `problem`, or any error. */
export function problemOf(error: unknown): ProblemText {
  const carried = record(error)?.problem;
  const told = record(carried) ?? record(error);
  const title = text(told?.title);
  const detail = text(told?.detail);
  if (title || detail) {
    return {
      title: title || "It did not work",
      detail: detail || (error instanceof Error ? error.message : ""),
      where: text(told?.where) || null,
      requestId: text(told?.request_id) || text(told?.requestId) || null,
    };
  }
  if (error instanceof TypeError && /fetch|network/i.test(error.message)) {
    return {
      title: "The server does not answer",
      detail: "Is it running? `make up` or `watchglass up` starts it; then try again.",
      where: null,
      requestId: null,
    };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { title: "It did not work", detail: message, where: null, requestId: null };
}

function record(value: unknown): Record<string, unknown> | null {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : null;
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
