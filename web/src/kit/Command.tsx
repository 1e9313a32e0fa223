import { Code } from "./Code";
import { blanks, commandHere } from "./commandHere";
import "./command.css";

/** A command to paste into a shell, for this server; and what to put into it first, if something is. */
export function Command({ command }: { command: string }) {
  const left = blanks(command);
  return (
    <div className="command">
      <Code text={commandHere(command)} language="sh" wrap />
      {left.length > 0 && <p className="command-blanks">Put in yours first: {left.join(", ")}.</p>}
    </div>
  );
}
