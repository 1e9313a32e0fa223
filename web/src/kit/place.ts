/** Puts a popover beside its anchor: below, above where there is no room, always inside the window. */
export function placeBeside(popover: HTMLElement, anchor: Element, align: "start" | "end" | "center"): void {
  const gap = 4;
  const edge = 8;
  const box = anchor.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = popover;
  const wanted =
    align === "start" ? box.left : align === "end" ? box.right - width : box.left + (box.width - width) / 2;
  const left = Math.max(edge, Math.min(wanted, innerWidth - width - edge));
  const below = box.bottom + gap;
  const fits = below + height <= innerHeight - edge || box.top < height + gap + edge;
  popover.style.left = `${left}px`;
  popover.style.top = `${fits ? below : box.top - gap - height}px`;
}
