import type { Raw } from "@/shell/search";

/** What the address of this page may say. */
export type DoctorSearch = object;

export function doctorSearch(_raw: Raw): DoctorSearch {
  return {};
}
