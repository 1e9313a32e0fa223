/** Words between backticks as code: what the server says of commands and attributes. */
export function WithCode({ text }: { text: string }) {
  return text.split("`").map((part, place) => {
    const key = `${place} ${part}`;
    return place % 2 ? <code key={key}>{part}</code> : <span key={key}>{part}</span>;
  });
}
