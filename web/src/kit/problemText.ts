/** What a reader is told of an error, whatever was thrown. */
export interface ProblemText {
  title: string;
  detail: string;
  where: string | null;
  requestId: string | null;
  /** Whether the same question could have another answer. */
  again: boolean;
}

/** In place of HTTP's own names for them, which say nothing to who looks at a page. */
const TITLES: Record<number, string> = {
  400: "This question cannot be answered",
  403: "This key may not see that",
  404: "There is no such thing here",
  413: "That is too long",
  422: "That is too much for one question",
  429: "Too many questions at once",
  503: "The server is too busy now",
};

/** Reads a problem document (RFC 9457), an error that carries one as `problem`, or any error. */
export function problemOf(error: unknown): ProblemText {
  const carried = record(error)?.problem;
  const told = record(carried) ?? record(error);
  const status = typeof told?.status === "number" ? told.status : 0;
  const title = TITLES[status] || text(told?.title);
  const detail = text(told?.detail);
  if (title || detail) {
    return {
      title: title || "It did not work",
      detail: detail || (error instanceof Error ? error.message : ""),
      where: text(told?.where) || null,
      requestId: text(told?.request_id) || text(told?.requestId) || null,
      again: status < 400 || status >= 500 || status === 429,
    };
  }
  if (error instanceof TypeError && /fetch|network/i.test(error.message)) {
    return {
      title: "The server does not answer",
      detail: "Is it running? `make up` or `watchglass up` starts it; then try again.",
      where: null,
      requestId: null,
      again: true,
    };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { title: "It did not work", detail: message, where: null, requestId: null, again: true };
}

function record(value: unknown): Record<string, unknown> | null {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : null;
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
