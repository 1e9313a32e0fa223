import { useApi } from "@/api/queries";
import { targetText } from "@/format/targets";
import { Share } from "@/kit/Figure";

/** What part should succeed, as Settings say; null where nobody wants to be told, or it is not known yet. */
function useTarget(): string | null {
  const { data } = useApi("/api/v1/targets");
  return data?.targets.find((each) => each.of === "tasks" && each.figure === "success_share")?.value ?? null;
}

/** A success rate held against its target, as a figure takes it. */
export function useJudged(success: number | null): { text: string; met: boolean | null } {
  const target = useTarget();
  if (target === null) return { text: "no target", met: null };
  return {
    text: `> ${targetText(target, "share")}`,
    met: success === null ? null : success > Number(target),
  };
}

/** A success rate in a table; one that misses its target is marked. */
export function Succeeded({ success, why }: { success: number | null; why: string }) {
  return (
    <span className={useJudged(success).met === false ? "agents-bad" : undefined}>
      <Share part={success} why={why} />
    </span>
  );
}
