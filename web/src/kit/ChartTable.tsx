import { moment } from "@/format/times";
import { usePreferences } from "@/shell/preferences";
import { type ChartSeries, type ChartUnit, valueText } from "./chartData";

interface Props {
  label: string;
  starts: readonly number[];
  series: readonly ChartSeries[];
  unit: ChartUnit;
  height: number;
}

/** A chart's values, all of them, as text. */
export function ChartTable({ label, starts, series, unit, height }: Props) {
  const { zone } = usePreferences();
  const now = Date.now();
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be by keyboard, too
    <div className="time-chart-table" style={{ height }} tabIndex={0}>
      <table aria-label={label}>
        <thead>
          <tr>
            <th scope="col">From</th>
            {series.map((each) => (
              <th key={each.id} scope="col">
                {each.label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {starts.map((start, at) => (
            <tr key={start}>
              <th scope="row">{moment(start, zone, now).replace(/:00$/, "")}</th>
              {series.map((each) => (
                <td key={each.id}>{valueText(each.values[at], unit)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
