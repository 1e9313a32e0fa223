/** Commands as they reach this server: those that are told know its usual address only. */

const USUAL = "http://127.0.0.1:4318";
const AT_THE_STORE = /^watchglass (check|restore|settings|spool|serve|up)\b/;

/** What is to be pasted where the server has another address than the usual one. */
export function commandHere(command: string, origin: string = location.origin): string {
  if (origin === USUAL || origin === "http://localhost:4318") return command;
  const told = command.replaceAll(USUAL, origin);
  const asks = told.startsWith("watchglass ") && !AT_THE_STORE.test(told) && !told.includes(" --url ");
  return asks ? `${told} --url ${origin}` : told;
}
