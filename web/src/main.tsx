import "@fontsource-variable/inter/index.css";
import "@fontsource-variable/jetbrains-mono/index.css";
import "./kit/tokens.css";
import "./kit/ground.css";
import "./kit/print.css";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { queries } from "./api/queries";
import { fetchWhenIdle, router } from "./router";
import { applyPreferences } from "./shell/preferences";

applyPreferences();
const place = document.getElementById("app");
if (!place) throw new Error("index.html has no element #app");
createRoot(place).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </StrictMode>,
);

if (document.readyState === "complete") fetchWhenIdle();
else window.addEventListener("load", fetchWhenIdle, { once: true });
