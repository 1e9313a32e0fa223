import type { Schemas } from "@/api/client";
import { bytes } from "@/format/bytes";
import { count, duration } from "@/format/numbers";
import { Badge } from "@/kit/Badge";
import { Copy } from "@/kit/Copy";
import type { Column } from "@/kit/DataTable";

type Setting = Schemas["ServerSetting"];

export const SETTINGS: readonly Column<Setting>[] = [
  { id: "name", header: "Setting", width: 180, cell: (row) => <code>{row.name}</code> },
  {
    id: "value",
    header: "Value",
    width: 200,
    cell: (row) => (
      <span title={row.value}>
        {valueText(row)}
        {row.source === "default" ? (
          ""
        ) : (
          <span className="muted"> {row.value !== row.default && `not ${row.default}`}</span>
        )}
      </span>
    ),
  },
  {
    id: "source",
    header: "From",
    width: 110,
    cell: (row) =>
      row.source === "default" ? (
        <span className="muted">default</span>
      ) : (
        <Badge tone="accent">{row.source}</Badge>
      ),
  },
  { id: "meaning", header: "What it is", cell: (row) => <span title={row.meaning}>{row.meaning}</span> },
  {
    id: "how",
    header: "Set it by",
    width: 250,
    cell: (row) => (
      <span className="settings-how">
        <code title={`${row.flag} or ${row.env}`}>{row.flag}</code>
        <Copy text={`${row.flag} `} label={`Copy ${row.flag}`} untabbed />
      </span>
    ),
  },
];

function valueText(row: Setting): string {
  return /_bytes$/.test(row.name) && /^\d+$/.test(row.value) ? bytes(Number(row.value)) : row.value;
}

export const TABLES: readonly Column<Schemas["ServerTable"]>[] = [
  { id: "table", header: "Table", cell: (row) => <code>{row.table}</code> },
  {
    id: "rows",
    header: "Rows",
    align: "end",
    width: 130,
    hideable: false,
    sortable: true,
    sortBy: (row) => row.rows,
    cell: (row) => <span className="number">{count(row.rows)}</span>,
  },
  {
    id: "bytes",
    header: "On disk",
    align: "end",
    width: 110,
    hideable: false,
    sortable: true,
    sortBy: (row) => row.bytes,
    cell: (row) => <span className="number">{bytes(row.bytes)}</span>,
  },
  {
    id: "kept",
    header: "Kept",
    width: 120,
    hideable: false,
    cell: (row) => (row.kept_ns === null ? <span className="muted">for ever</span> : duration(row.kept_ns)),
  },
  {
    id: "by",
    header: "By setting",
    width: 200,
    hideable: false,
    cell: (row) => (row.kept_by ? <code>{row.kept_by}</code> : <span className="muted">none</span>),
  },
];
