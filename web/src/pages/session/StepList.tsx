import { useVirtualizer } from "@tanstack/react-virtual";
import { Bot, CircleUser, Cpu, ListChecks, type LucideIcon, Workflow, Wrench } from "lucide-react";
import { type ReactNode, useEffect, useRef } from "react";
import { duration } from "@/format/numbers";
import { visible } from "@/kit/visibleText";
import { clockText } from "./clock";
import type { Step } from "./timeline";

const ICONS: Record<Step["kind"], LucideIcon> = {
  message: CircleUser,
  call: Cpu,
  tool: Wrench,
  agent: Bot,
  task: ListChecks,
  flow: Workflow,
};

export const KIND_NAMES: Record<Step["kind"], string> = {
  message: "message",
  call: "model call",
  tool: "tool",
  agent: "agent",
  task: "task",
  flow: "flow",
};

const ROW = 34;

interface Props {
  label: string;
  steps: readonly (Step | undefined)[];
  /** The latest that had begun; -1 before the first. */
  current: number;
  onGo: (place: number) => void;
  /** Beside a step, in place of its length. */
  mark?: (place: number) => ReactNode;
}

/** A session's steps in order, the current one in view. Only those in view are in the page. */
export function StepList({ label, steps, current, onGo, mark }: Props) {
  const scroller = useRef<HTMLElement>(null);
  const virtual = useVirtualizer({
    count: steps.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW,
    overscan: 8,
  });
  useEffect(() => {
    if (current >= 0) virtual.scrollToIndex(current, { align: "auto" });
  }, [current, virtual]);
  return (
    <section ref={scroller} className="session-steps" aria-label={label}>
      <ol className="session-rows" style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map(({ index, start }) => {
          const step = steps[index];
          return (
            <li key={index} className="session-row" style={{ transform: `translateY(${start}px)` }}>
              {step ? (
                <button
                  type="button"
                  className={`session-step session-${step.kind} ${step.status === "failed" ? "session-step-failed" : ""} ${index > current ? "session-step-ahead" : ""}`}
                  aria-current={index === current ? "step" : undefined}
                  onClick={() => onGo(index)}
                >
                  <StepIcon kind={step.kind} />
                  <span className="session-step-name">{visible(step.name)}</span>
                  {step.status === "failed" && <span className="session-step-error">failed</span>}
                  <span className="session-step-long">
                    {mark?.(index) || (step.duration_ns === null ? "" : duration(step.duration_ns))}
                  </span>
                  <span className="session-step-at">{clockText(step.at_ns / 1e6)}</span>
                </button>
              ) : (
                <span className="session-step muted">–</span>
              )}
            </li>
          );
        })}
      </ol>
    </section>
  );
}

function StepIcon({ kind }: { kind: Step["kind"] }) {
  const Icon = ICONS[kind];
  return (
    <>
      <Icon size={14} aria-hidden="true" />
      <span className="hidden-visually">{KIND_NAMES[kind]}</span>
    </>
  );
}
