import { Section } from "@/kit/Page";
import type { Filters } from "@/pages/costs/filters";
import { Attention } from "./Attention";
import { ChangeSentence, Changes } from "./Changes";
import { Course } from "./Course";
import { Errors } from "./Errors";
import { Figures } from "./Figures";
import type { OverviewSearch } from "./search";
import type { Overview } from "./words";

interface Props {
  data: Overview | undefined;
  filters: Filters;
  search: OverviewSearch;
}

/** For who leads a team: what was done and what it cost, and which feature, tenant and agent made the difference. */
export function Team({ data, filters }: Props) {
  return (
    <>
      <Figures data={data} of="team" />
      <Attention data={data} filters={filters} />
      <Section title="Spend over time" note={<ChangeSentence data={data} by="feature" />}>
        <Course data={data} chart="spend" />
      </Section>
      <div className="overview-columns">
        <Section title="What changed by feature">
          <Changes data={data} by="feature" filters={filters} />
        </Section>
        <Section title="What changed by tenant">
          <Changes data={data} by="tenant" filters={filters} />
        </Section>
        <Section title="What changed by agent">
          <Changes data={data} by="agent" filters={filters} />
        </Section>
        <Section title="What goes wrong">
          <Errors data={data} filters={filters} />
        </Section>
      </div>
    </>
  );
}
