import { Badge } from "@/kit/Badge";
import { Button } from "@/kit/Button";
import { compared, type Difference, difference, type Parting } from "./parting";
import type { Step } from "./timeline";

const WORDS: Record<Difference, string> = {
  step: "something else is done",
  given: "the same step is given something else",
  gave: "given the same, it gives something else",
  outcome: "one fails where the other does not",
  end: "one is over",
};

const SHORT: Record<Difference, string> = {
  step: "other",
  given: "given",
  gave: "gave",
  outcome: "outcome",
  end: "over",
};

interface Props {
  a: readonly Step[];
  b: readonly Step[];
  onGo: (place: number) => void;
}

/** Where the two part, in words, with a way there. */
export function PartingNote({ a, b, onGo }: Props) {
  const { first, course } = compared(a, b);
  if (!first)
    return <p className="session-parting">They never part: the same {a.length} steps with the same texts.</p>;
  const differs = course && course.at !== first.at;
  return (
    <div className="session-parting" role="status">
      <p>
        They part at <strong>step {first.at + 1}</strong>: {saying(first, a, b)}.
        {differs && ` From step ${course.at + 1} on ${saying(course, a, b)}.`}
        {!course && " They take the same steps all the same."}
      </p>
      <Button small onClick={() => onGo(first.at)}>
        Go to step {first.at + 1}
      </Button>
      {differs && (
        <Button small onClick={() => onGo(course.at)}>
          Go to step {course.at + 1}
        </Button>
      )}
    </div>
  );
}

function saying({ at, what }: Parting, a: readonly Step[], b: readonly Step[]): string {
  const [one, other] = [a[at], b[at]];
  if (what === "end") return one ? "the other is over" : "this one is over";
  const named = what === "step" ? `${name(one)} here, ${name(other)} there` : name(one);
  return `${WORDS[what]} (${named})`;
}

function name(step: Step | undefined): string {
  return step ? `${step.kind} ${step.name}` : "nothing";
}

/** The mark of a row where the two differ. */
export function DifferenceMark({ a, b }: { a: Step | undefined; b: Step | undefined }) {
  const what = difference(a, b);
  if (!what) return null;
  return (
    <Badge tone={what === "gave" || what === "given" ? "warn" : "bad"} title={WORDS[what]}>
      {SHORT[what]}
    </Badge>
  );
}
