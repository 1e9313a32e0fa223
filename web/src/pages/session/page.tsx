import { createLazyRoute, useParams, useSearch } from "@tanstack/react-router";
import { GitCompareArrows, X } from "lucide-react";
import { useMemo, useState } from "react";
import { address } from "@/api/client";
import { useApi } from "@/api/queries";
import { count } from "@/format/numbers";
import { Button } from "@/kit/Button";
import { When } from "@/kit/Figure";
import { Page } from "@/kit/Page";
import { Problem } from "@/kit/Problem";
import { RouteLink } from "@/kit/RouteLink";
import { Skeleton } from "@/kit/Skeleton";
import { useHref } from "@/shell/links";
import { type RootSearch, useSetSearch } from "@/shell/search";
import { CompareDialog } from "./CompareDialog";
import { type Story, saidBy, stepAt, story } from "./moment";
import { Now, SpentSoFar } from "./Now";
import { PlayerBar } from "./PlayerBar";
import { compared } from "./parting";
import { Said } from "./Said";
import { StepList } from "./StepList";
import type { SessionSearch } from "./search";
import { type Replay, type Step, timeline } from "./timeline";
import { useReplay } from "./useReplay";
import { DifferenceMark, PartingNote } from "./Versus";
import "./page.css";

export const Route = createLazyRoute("/sessions/$session")({ component: SessionPage });

function SessionPage() {
  const { session } = useParams({ strict: false }) as { session: string };
  const search = useSearch({ strict: false }) as SessionSearch & RootSearch;
  const setSearch = useSetSearch();
  const href = useHref();
  const [choosing, setChoosing] = useState(false);
  const tenant = search.tenant?.length === 1 ? search.tenant[0] : undefined;
  const query = tenant === undefined ? {} : { tenant };
  const mine = useApi("/api/v1/sessions/{session}", { params: { session }, query }, { keep: false });
  const other = useApi(
    "/api/v1/sessions/{session}",
    { params: { session: search.with ?? "" }, query },
    { enabled: search.with !== undefined, keep: false },
  );
  const choose = (named: string | undefined) => {
    setChoosing(false);
    setSearch({ with: named });
  };
  return (
    <Page
      title={`Session ${session}`}
      lead={mine.data && <Lead replay={mine.data} />}
      actions={
        search.with === undefined ? (
          <Button icon={<GitCompareArrows size={15} aria-hidden="true" />} onClick={() => setChoosing(true)}>
            Compare
          </Button>
        ) : (
          <Button icon={<X size={15} aria-hidden="true" />} onClick={() => choose(undefined)}>
            End comparison
          </Button>
        )
      }
    >
      {mine.error && (
        <Problem error={mine.error} onRetry={() => void mine.refetch()}>
          {mine.error.status === 404 && (
            <RouteLink href={href("/sessions")}>See the latest sessions</RouteLink>
          )}
        </Problem>
      )}
      {search.with !== undefined && other.error && (
        <Problem error={other.error} onRetry={() => void other.refetch()} />
      )}
      {!mine.error && (!mine.data || (search.with !== undefined && !other.data && !other.error)) && (
        <Waiting />
      )}
      {mine.data && (search.with === undefined || other.data) && (
        <Stage
          key={`${session} ${search.with ?? ""}`}
          mine={mine.data}
          other={search.with === undefined ? undefined : other.data}
          at={search.at}
          onMoment={(ms) => setSearch({ at: (ms / 1000).toFixed(3) }, { replace: true })}
        />
      )}
      {choosing && (
        <CompareDialog
          session={session}
          tenant={tenant}
          onChoose={choose}
          onClose={() => setChoosing(false)}
        />
      )}
    </Page>
  );
}

function Lead({ replay }: { replay: Replay }) {
  return (
    <span className="session-lead">
      {[replay.tenant, replay.user].filter(Boolean).join(" · ")} · <When at={replay.start} />
    </span>
  );
}

interface StageProps {
  mine: Replay;
  other: Replay | undefined;
  at: string | undefined;
  onMoment: (ms: number) => void;
}

/** One session, or two beside each other, at a moment. */
function Stage({ mine, other, at, onMoment }: StageProps) {
  const told = useMemo(() => story(mine), [mine]);
  const against = useMemo(() => (other ? story(other) : undefined), [other]);
  const strips = useMemo(
    () => [mine, ...(other ? [other] : [])].map(({ steps }, place) => ({ id: `strip ${place}`, steps })),
    [mine, other],
  );
  const steps = useMemo(() => strips.flatMap((strip) => strip.steps), [strips]);
  const line = useMemo(() => {
    const length = Math.max(mine.duration_ns, other?.duration_ns ?? 0);
    return timeline(steps, length);
  }, [steps, mine, other]);
  const stops = useMemo(
    () => [...new Set(steps.map((step) => step.at_ns / 1e6))].sort((a, b) => a - b),
    [steps],
  );
  const { first, course } = useMemo(() => compared(mine.steps, other?.steps ?? mine.steps), [mine, other]);
  const parted = course?.at ?? Number.POSITIVE_INFINITY;
  // One session opens on all of it, two on where they part.
  const parting = course ?? first;
  const opening = (parting && mine.steps[parting.at]?.at_ns) ?? line.length * 1e6;
  const player = useReplay(line, at === undefined ? opening / 1e6 : Number(at) * 1000, onMoment);
  // A step begins at its nanosecond; what the address holds are milliseconds.
  const ns = (player.moment + 0.5) * 1e6;
  const go = (of: readonly Step[], place: number) => {
    const step = of[Math.min(place, of.length - 1)];
    if (step) player.go(step.at_ns / 1e6);
  };
  return (
    <div className="session">
      <PlayerBar player={player} line={line} strips={strips} stops={stops} />
      {mine.next_since && (
        <p className="session-note">
          The first {count(mine.steps.length)} steps are shown.{" "}
          <RouteLink
            href={address(
              "/api/v1/sessions/{session}",
              { session: mine.session },
              { since: mine.next_since, tenant: mine.tenant ?? "" },
            )}
            target="_blank"
          >
            The others as JSON
          </RouteLink>
        </p>
      )}
      {against && other ? (
        <>
          <PartingNote a={mine.steps} b={other.steps} onGo={(place) => go(mine.steps, place)} />
          <div className="session-two">
            <Side
              told={told}
              beside={other.steps}
              parted={parted}
              ns={ns}
              onGo={(place) => go(mine.steps, place)}
            />
            <Side
              told={against}
              beside={mine.steps}
              parted={parted}
              ns={ns}
              onGo={(place) => go(other.steps, place)}
            />
          </div>
        </>
      ) : (
        <One told={told} ns={ns} onGo={(place) => go(mine.steps, place)} />
      )}
    </div>
  );
}

interface SideProps {
  told: Story;
  ns: number;
  onGo: (place: number) => void;
}

function One({ told, ns, onGo }: SideProps) {
  const { steps } = told.replay;
  const current = stepAt(steps, ns);
  return (
    <div className="session-one">
      <StepList label="Steps" steps={steps} current={current} onGo={onGo} />
      <Said told={told} count={saidBy(told, ns)} step={current} label="Conversation" />
      <div className="session-now">
        <Now told={told} step={current} ns={ns} />
      </div>
    </div>
  );
}

function Side({ told, ns, onGo, beside, parted }: SideProps & { beside: readonly Step[]; parted: number }) {
  const { steps, session } = told.replay;
  const current = stepAt(steps, ns);
  return (
    <section className="session-side" aria-label={`Session ${session}`}>
      <h2>{session}</h2>
      <SpentSoFar told={told} ns={ns} />
      <StepList
        label={`Steps of ${session}`}
        steps={steps}
        current={current}
        onGo={onGo}
        // Beyond where one does something else, steps of one place have nothing to do with each other.
        mark={(place) => place <= parted && <DifferenceMark a={steps[place]} b={beside[place]} />}
      />
      <Said told={told} count={saidBy(told, ns)} step={current} label={`Conversation of ${session}`} />
    </section>
  );
}

function Waiting() {
  return (
    <div className="session" aria-busy="true">
      <Skeleton height={112} />
      <div className="session-one">
        <Skeleton height={400} />
        <Skeleton height={400} />
        <Skeleton height={400} />
      </div>
    </div>
  );
}
