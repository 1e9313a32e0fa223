/** Texts in commands that people paste. */

/** As one word of a POSIX shell; as it is where nothing in it means something there. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
