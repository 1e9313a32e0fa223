import { useGrowing } from "./growing";
import { MoreText } from "./MoreText";
import { visible } from "./visibleText";
import "./plain-text.css";

const FIRST = 20_000;
const STEP = 100_000;

export interface PlainTextProps {
  text: string;
  /** How many characters are shown before anybody asks for more. */
  first?: number;
}

/** Text from a trace as text: line breaks kept, direction by each paragraph, hidden characters shown. */
export function PlainText({ text, first = FIRST }: PlainTextProps) {
  const { shown, left, more } = useGrowing(text, first, STEP);
  return (
    <div className="plain-text">
      <div className="plain-text-body">{visible(shown)}</div>
      <MoreText left={left} step={STEP} onMore={more} />
    </div>
  );
}
