import { Button } from "./Button";
import { textSize } from "./growing";

/** The button below a text of which only the beginning is shown; nothing if all of it is. */
export function MoreText({ left, step, onMore }: { left: number; step: number; onMore: () => void }) {
  if (left <= 0) return null;
  const next = Math.min(left, step);
  return (
    <Button small onClick={onMore}>
      {next === left ? `Show the last ${textSize(left)}` : `Show ${textSize(next)} more of ${textSize(left)}`}
    </Button>
  );
}
