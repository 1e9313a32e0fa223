import { Check } from "lucide-react";
import { type KeyboardEvent, type ReactNode, useId, useRef, useState } from "react";
import { flushSync } from "react-dom";
import { Button } from "./Button";
import { placeBeside } from "./place";
import { RouteLink } from "./RouteLink";
import "./menu.css";

export interface MenuItem {
  id: string;
  label: string;
  icon?: ReactNode;
  /** One of both: what it does, or where it leads. */
  onSelect?: () => void;
  href?: string;
  /** A switch; the menu stays open. */
  checked?: boolean;
  disabled?: boolean;
  danger?: boolean;
  /** A line above it. */
  apart?: boolean;
}

export interface MenuProps {
  label: string;
  items: readonly MenuItem[];
  icon?: ReactNode;
  /** Only the icon is shown. */
  iconOnly?: boolean;
  quiet?: boolean;
  align?: "start" | "end";
}

/** A button with a list of things to do. Arrows, Home, End, first letters, Escape. */
export function Menu({ label, items, icon, iconOnly, quiet, align = "start" }: MenuProps) {
  const id = useId();
  const button = useRef<HTMLButtonElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const [open, setOpen] = useState(false);
  const onToggle = (isOpen: boolean) => {
    // At once: the items are only there while it is open, and the first of them gets the focus.
    flushSync(() => setOpen(isOpen));
    if (!isOpen || !list.current || !button.current) return;
    placeBeside(list.current, button.current, align);
    itemsOf(list.current)[0]?.focus();
  };
  return (
    <>
      <Button
        ref={button}
        small
        tone={quiet ? "quiet" : "plain"}
        icon={icon}
        label={iconOnly ? label : undefined}
        aria-haspopup="menu"
        aria-expanded={open}
        popoverTarget={id}
      >
        {iconOnly ? null : label}
      </Button>
      <div
        ref={list}
        id={id}
        popover="auto"
        role="menu"
        aria-label={label}
        className="menu"
        tabIndex={-1}
        onToggle={(event) => onToggle(event.newState === "open")}
        onKeyDown={onMenuKeys}
      >
        {open &&
          items.map((item) => <Item key={item.id} item={item} onDone={() => list.current?.hidePopover()} />)}
      </div>
    </>
  );
}

function Item({ item, onDone }: { item: MenuItem; onDone: () => void }) {
  const names = `menu-item${item.danger ? " menu-danger" : ""}${item.apart ? " menu-apart" : ""}`;
  const inside = (
    <>
      <span className="menu-sign">{item.checked ? <Check size={14} aria-hidden="true" /> : item.icon}</span>
      {item.label}
    </>
  );
  if (item.href) {
    return (
      <RouteLink role="menuitem" className={names} href={item.href} tabIndex={-1} onClick={onDone}>
        {inside}
      </RouteLink>
    );
  }
  const select = () => {
    if (item.checked === undefined) onDone();
    item.onSelect?.();
  };
  const as = item.checked === undefined ? PLAIN : { role: "menuitemcheckbox", "aria-checked": item.checked };
  return (
    <button type="button" {...as} disabled={item.disabled} className={names} tabIndex={-1} onClick={select}>
      {inside}
    </button>
  );
}

const PLAIN = { role: "menuitem" };

function onMenuKeys(event: KeyboardEvent<HTMLElement>): void {
  const items = itemsOf(event.currentTarget);
  const at = items.indexOf(document.activeElement as HTMLElement);
  const next = nextOf(event.key, at, items);
  if (event.key === "Tab") event.currentTarget.hidePopover();
  if (next === undefined) return;
  event.preventDefault();
  event.stopPropagation();
  items[next]?.focus();
}

function nextOf(key: string, at: number, items: readonly HTMLElement[]): number | undefined {
  const count = items.length;
  if (key === "ArrowDown") return (at + 1) % count;
  if (key === "ArrowUp") return (at - 1 + count) % count;
  if (key === "Home") return 0;
  if (key === "End") return count - 1;
  if (key.length !== 1 || key === " ") return undefined;
  const order = [...items.keys()].map((place) => (at + 1 + place) % count);
  return order.find((place) => items[place]?.textContent?.trim().toLowerCase().startsWith(key.toLowerCase()));
}

function itemsOf(menu: HTMLElement): HTMLElement[] {
  return [...menu.querySelectorAll<HTMLElement>("[role^=menuitem]:not(:disabled)")];
}
