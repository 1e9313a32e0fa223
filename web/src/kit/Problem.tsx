import { TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { Button } from "./Button";
import { Id } from "./Id";
import { problemOf } from "./problemText";
import { WithCode } from "./WithCode";
import "./problem.css";

export interface ProblemProps {
  /** Whatever was thrown; our API's problem documents say what, where and what to do. */
  error: unknown;
  /** Tries again. */
  onRetry?: () => void;
  children?: ReactNode;
}

/** What went wrong, where, and what to do; trying again only where that could help. */
export function Problem({ error, onRetry, children }: ProblemProps) {
  const { title, detail, where, requestId, again } = problemOf(error);
  return (
    <div className="problem" role="alert">
      <TriangleAlert className="problem-icon" size={16} aria-hidden="true" />
      <div className="problem-body">
        <p className="problem-title">{title}</p>
        {detail && (
          <p className="problem-detail">
            <WithCode text={detail} />
          </p>
        )}
        {where && (
          <p className="problem-where">
            Where: <code>{where}</code>
          </p>
        )}
        {requestId && (
          <p className="problem-where">
            Request <Id id={requestId} /> in the server’s log
          </p>
        )}
        {children}
        {onRetry && again && (
          <Button small onClick={onRetry}>
            Try again
          </Button>
        )}
      </div>
    </div>
  );
}
