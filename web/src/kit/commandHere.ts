/** Commands as they reach this server: those that are told know its usual address only. */

const USUAL = "http://127.0.0.1:4318";
const AT_THE_STORE = /^watchglass (check|restore|settings|spool|serve|up)\b/;

/** Words in commands that stand for what only the reader knows, and what that is. */
const BLANKS: Readonly<Record<string, string>> = {
  USD: "dollars a million tokens",
  PROVIDER: "who sells the model",
  MODEL: "the model’s name",
  INSTRUMENTATION: "the package that records the calls",
  NAME: "the name of the instrumentation",
  BACKUP: "the backup’s folder",
  NEW_DIRECTORY: "a directory that is not there yet",
};

/** What has to be put in before the command can run: `USD (dollars a million tokens)`. */
export function blanks(command: string): string[] {
  const words = command.replace(/"[^"]*"|'[^']*'/g, " ").split(/[\s=]+/);
  return Object.entries(BLANKS)
    .filter(([word]) => words.includes(word))
    .map(([word, meaning]) => `${word} (${meaning})`);
}

/** What is to be pasted where the server has another address than the usual one. */
export function commandHere(command: string, origin: string = location.origin): string {
  if (origin === USUAL || origin === "http://localhost:4318") return command;
  return command
    .split(" && ")
    .map((each) => oneHere(each, origin))
    .join(" && ");
}

function oneHere(command: string, origin: string): string {
  const told = command.replaceAll(USUAL, origin);
  const asks = told.startsWith("watchglass ") && !AT_THE_STORE.test(told) && !told.includes(" --url ");
  return asks ? `${told} --url ${origin}` : told;
}
