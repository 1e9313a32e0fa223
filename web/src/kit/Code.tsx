import { Download, WrapText } from "lucide-react";
import { useState } from "react";
import { Button } from "./Button";
import { Copy } from "./Copy";
import { useGrowing } from "./growing";
import { MoreText } from "./MoreText";
import { saveText } from "./saveText";
import { cutLines, visible } from "./visibleText";
import "./code.css";

const FIRST = 32 * 1024;
const STEP = 256 * 1024;
const LONG_LINE = 2000;
const WORTH_SAVING = STEP;

export interface CodeProps {
  text: string;
  /** What it is, as the block's name for screen readers and in its corner: "python", "stack trace". */
  language?: string;
  /** Lines are broken rather than scrolled to begin with. */
  wrap?: boolean;
  /** Pixels before the block scrolls; without, it is as high as its text. */
  height?: number;
  /** A name for saving a long text as a file. */
  file?: string;
}

/** A monospaced block with copy and wrap; however long the text, only a beginning is drawn until asked. */
export function Code({ text, language, wrap = false, height, file = "text.txt" }: CodeProps) {
  const [wraps, setWraps] = useState(wrap);
  const [longLines, setLongLines] = useState(false);
  const { shown, left, more } = useGrowing(text, FIRST, STEP);
  const cut = longLines ? { text: shown, whole: true } : cutLines(shown, LONG_LINE);
  return (
    <div className="code">
      <div className="code-bar">
        {language && <span className="code-language">{language}</span>}
        <Button
          tone="quiet"
          small
          label={wraps ? "Do not break lines" : "Break long lines"}
          aria-pressed={wraps}
          icon={<WrapText size={13} aria-hidden="true" />}
          onClick={() => setWraps(!wraps)}
        />
        {text.length > WORTH_SAVING && (
          <Button
            tone="quiet"
            small
            label="Save as a file"
            icon={<Download size={13} aria-hidden="true" />}
            onClick={() => saveText(file, text)}
          />
        )}
        <Copy text={text} label={`Copy ${language ?? "text"}`} />
      </div>
      <pre
        className={wraps ? "code-text code-wraps" : "code-text"}
        style={{ maxHeight: height }}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be scrollable by keyboard
        tabIndex={0}
      >
        <code>{visible(cut.text)}</code>
      </pre>
      {!cut.whole && (
        <Button small onClick={() => setLongLines(true)}>
          Show long lines whole
        </Button>
      )}
      <MoreText left={left} step={STEP} onMore={more} />
    </div>
  );
}
