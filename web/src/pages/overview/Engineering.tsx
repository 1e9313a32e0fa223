import { Section } from "@/kit/Page";
import { Segments } from "@/kit/Segments";
import type { Filters } from "@/pages/costs/filters";
import { useHref } from "@/shell/links";
import { Attention } from "./Attention";
import { ChangeSentence, Changes } from "./Changes";
import { Course, CourseSwitch } from "./Course";
import { ErrorChangeSentence, ErrorChanges } from "./ErrorChanges";
import { Errors } from "./Errors";
import { Figures } from "./Figures";
import { Providers } from "./Providers";
import { CHANGED, CHANGED_BY, type ChangedBy, type OverviewSearch } from "./search";
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
  const changed = search.changed ?? "spend";
  return (
    <>
      <Figures data={data} of="engineering" />
      <Attention data={data} filters={filters} />
      <Section title="Over time" aside={<CourseSwitch chart={chart} search={search} filters={filters} />}>
        <Course data={data} chart={chart} />
      </Section>
      <Section
        title="What changed"
        aside={<ChangedSwitch changed={changed} by={by} search={search} />}
        note={
          changed === "errors" ? (
            <ErrorChangeSentence data={data} by={by} />
          ) : (
            <ChangeSentence data={data} by={by} />
          )
        }
      >
        {changed === "errors" ? (
          <ErrorChanges data={data} by={by} filters={filters} />
        ) : (
          <Changes data={data} by={by} filters={filters} />
        )}
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

/** What changed, and by what the differences are told apart. */
function ChangedSwitch({ changed, by, search }: { changed: string; by: ChangedBy; search: OverviewSearch }) {
  const href = useHref();
  const whats = CHANGED.map((id) => ({
    id,
    label: id[0]?.toUpperCase() + id.slice(1),
    href: href("/", { ...search, changed: id === "spend" ? undefined : id }),
  }));
  const segments = CHANGED_BY.map((id) => ({
    id,
    label: id,
    href: href("/", { ...search, by: id === "model" ? undefined : id }),
  }));
  return (
    <>
      <Segments label="What changed" segments={whats} active={changed} />
      <Segments label="What changed, by" segments={segments} active={by} />
    </>
  );
}
