/** The pages and where they stand in the navigation; one entry more is one page more. */

import {
  Banknote,
  Bot,
  CircleGauge,
  Coins,
  KeyRound,
  ListTree,
  type LucideIcon,
  MessagesSquare,
  Settings,
  Stethoscope,
  Tags,
} from "lucide-react";

export interface Place {
  to: string;
  label: string;
  icon: LucideIcon;
  /** Pressed after `g`. */
  key: string;
  /** What else a person may look for in the palette. */
  words: string;
}

export interface Group {
  label: string;
  places: readonly Place[];
}

export const GROUPS: readonly Group[] = [
  {
    label: "Watch",
    places: [
      { to: "/", label: "Overview", icon: CircleGauge, key: "o", words: "home start spend health executive" },
      { to: "/traces", label: "Traces", icon: ListTree, key: "t", words: "calls spans search live tail" },
      { to: "/sessions", label: "Sessions", icon: MessagesSquare, key: "s", words: "replay conversation" },
      {
        to: "/agents",
        label: "Agents and flows",
        icon: Bot,
        key: "a",
        words: "tasks pipelines stuck failed",
      },
    ],
  },
  {
    label: "Money",
    places: [
      { to: "/costs", label: "Costs", icon: Coins, key: "c", words: "spend usage unit forecast" },
      { to: "/budgets", label: "Budgets", icon: Banknote, key: "b", words: "limits warnings reservations" },
      { to: "/prices", label: "Prices", icon: Tags, key: "p", words: "models book overrides discounts" },
    ],
  },
  {
    label: "House",
    places: [
      { to: "/doctor", label: "Doctor", icon: Stethoscope, key: "d", words: "findings wrong mend problems" },
      { to: "/keys", label: "Keys", icon: KeyRound, key: "k", words: "access tokens roles" },
      { to: "/settings", label: "Settings", icon: Settings, key: "e", words: "theme zone density server" },
    ],
  },
];

export const PLACES: readonly Place[] = GROUPS.flatMap((group) => group.places);
