import { Columns3 } from "lucide-react";
import type { Column } from "./DataTable";
import type { LayoutMemory } from "./dataTableMemory";
import { Menu } from "./Menu";

/** Which columns are shown. */
export function DataTableColumns<Row>({
  columns,
  memory,
}: {
  columns: readonly Column<Row>[];
  memory: LayoutMemory;
}) {
  const choices = columns
    .filter((column, place) => place > 0 && column.hideable !== false)
    .map((column) => ({
      id: column.id,
      label: column.header,
      checked: memory.shown[column.id] !== false,
      onSelect: () => memory.setShown(column.id, memory.shown[column.id] === false),
    }));
  return (
    <Menu
      label="Columns"
      icon={<Columns3 size={14} aria-hidden="true" />}
      quiet
      align="end"
      items={[...choices, { id: "reset", label: "As they were", onSelect: memory.reset, apart: true }]}
    />
  );
}
