/** The path of a small line over the whole width, from 0 up; a gap where nothing is known. */
export function sparkPath(values: readonly (number | null)[], width: number, height: number): string {
  const top = Math.max(...values.map((value) => value ?? 0), 0) || 1;
  const step = values.length > 1 ? width / (values.length - 1) : 0;
  let path = "";
  let pen = false;
  values.forEach((value, at) => {
    if (value !== null) {
      const x = round(values.length > 1 ? at * step : width / 2);
      path += `${pen ? "L" : "M"}${x} ${round(height - (value / top) * height)}`;
      const alone = !pen && (values[at + 1] ?? null) === null;
      if (alone) path += "h.01"; // a point is seen, thanks to round caps
    }
    pen = value !== null;
  });
  return path;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
