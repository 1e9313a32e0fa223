import { Bookmark } from "lucide-react";
import { type FormEvent, useState } from "react";
import { Button } from "@/kit/Button";
import { Dialog } from "@/kit/Dialog";
import { Menu } from "@/kit/Menu";
import { stringifySearch } from "@/shell/search";
import { type TracesSearch, tokensOf } from "./search";
import { builtIn, dropView, saveView, useViews } from "./views";

/** Views by name: addresses of this page, kept in this browser. */
export function Views({ search }: { search: TracesSearch & { since?: string } }) {
  const views = useViews();
  const [isNaming, setNaming] = useState(false);
  const items = [
    ...builtIn().map((view) => ({
      id: `built ${view.name}`,
      label: view.name,
      href: `/traces${view.search}`,
    })),
    ...views.map((view, place) => ({
      id: view.name,
      label: view.name,
      href: `/traces${view.search}`,
      apart: place === 0,
    })),
    { id: "save this", label: "Save this view…", onSelect: () => setNaming(true), apart: true },
    ...views.map((view) => ({
      id: `drop ${view.name}`,
      label: `Remove “${view.name}”`,
      danger: true,
      onSelect: () => dropView(view.name),
    })),
  ];
  const suggested = tokensOf({ ...search })
    .map((each) => each.value || "unknown")
    .join(", ");
  const save = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const name = String(new FormData(event.currentTarget).get("name") ?? "").trim();
    if (!name) return;
    saveView({ name, search: stringifySearch({ ...search, live: undefined }) || "?" });
    setNaming(false);
  };
  return (
    <>
      <Menu label="Views" icon={<Bookmark size={14} aria-hidden="true" />} items={items} align="end" />
      {isNaming && (
        <Dialog title="Save this view" onClose={() => setNaming(false)}>
          <form className="traces-saving" onSubmit={save}>
            <label>
              Name
              <input
                name="name"
                defaultValue={search.text || suggested || "My view"}
                maxLength={60}
                required
              />
            </label>
            <p className="muted">It is kept in this browser. To hand it on, send the address of the page.</p>
            <Button type="submit" tone="primary">
              Save
            </Button>
          </form>
        </Dialog>
      )}
    </>
  );
}
