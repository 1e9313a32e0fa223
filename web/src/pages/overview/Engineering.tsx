import { Section } from "@/kit/Page";
import { Segments } from "@/kit/Segments";
import type { Filters } from "@/pages/costs/filters";
import { useHref } from "@/shell/links";
import { Attention } from "./Attention";
import { ChangeSentence, Changes } from "./Changes";
import { Course, CourseSwitch } from "./Course";
import { Errors } from "./Errors";
import { Figures } from "./Figures";
import { Providers } from "./Providers";
import { CHANGED_BY, type OverviewSearch } from "./search";
import type { Overview } from "./words";

interface Props {
  data: Overview | undefined;
  filters: Filters;
  search: OverviewSearch;
}

/** For who debugs: all figures with their targets, the course, what changed, providers, errors. */
export function Engineering({ data, filters, search }: Props) {
  const chart = search.chart ?? "spend";
  const by = search.by ?? "model";
  const { chart: _, by: __, view, ...rest } = search;
  const kept = { ...rest, view };
  return (
    <>
      <Figures data={data} of="engineering" />
      <Attention data={data} filters={filters} />
      <Section
        title="Over time"
        aside={<CourseSwitch chart={chart} search={{ ...kept, by: search.by }} filters={filters} />}
      >
        <Course data={data} chart={chart} />
      </Section>
      <Section
        title="What changed"
        aside={<ChangedBySwitch by={by} search={{ ...kept, chart: search.chart }} />}
        note={<ChangeSentence data={data} by={by} />}
      >
        <Changes data={data} by={by} filters={filters} />
      </Section>
      <div className="overview-columns">
        <Section title="Providers">
          <Providers data={data} filters={filters} />
        </Section>
        <Section title="Top errors">
          <Errors data={data} filters={filters} />
        </Section>
      </div>
    </>
  );
}

/** By what the differences are told apart. */
export function ChangedBySwitch({ by, search }: { by: string; search: object }) {
  const href = useHref();
  const segments = CHANGED_BY.map((id) => ({
    id,
    label: id,
    href: href("/", { ...search, by: id === "model" ? undefined : id }),
  }));
  return <Segments label="What changed, by" segments={segments} active={by} />;
}
