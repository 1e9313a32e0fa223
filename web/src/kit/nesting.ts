/** More quotes and lists in each other than this nobody has written to be read. */
const DEEPEST = 16;

const NESTED = new RegExp(`^(?:[ \\t]*(?:>|(?:[-*+]|\\d{1,9}[.)])[ \\t])){${DEEPEST + 1}}`, "m");

/** Whether Markdown is nested so deeply on one line that a parser, which calls itself for each level, could fail. */
export function isTooDeep(text: string): boolean {
  return NESTED.test(text);
}
