import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

/** The server that `npm run dev` asks for data. */
const SERVER = "http://127.0.0.1:4318";

/** What `src/first.ts` is made of, which is to run before all else is there. */
const ASKED =
  /preload-helper|\/src\/(api\/(client|early)|shell\/asked|pages\/(costs\/filters|(agents|costs|overview|traces)\/search))\.ts/;

/** What all pages are made of is one file; but for what few of them show, which comes when it is shown. */
const EVERYWHERE =
  /node_modules\/(react|react-dom|scheduler|lucide-react|use-sync-external-store|@tanstack)\/|\/src\/(api|format|shell|pages\/\w+\/found|kit\/(?!MarkdownRendered|TimeChartPlot|chartOptions))/;

/**
 * Has the page load `src/first.ts` by itself, before all else: as a part of the app it would come with the rest. What
 * draws charts is fetched beside the app, and run when there is one to be drawn.
 */
const first: Plugin = {
  name: "first",
  transformIndexHtml: {
    order: "post",
    handler(_, { bundle }) {
      const named = (name: string) =>
        Object.values(bundle ?? {}).find((each) => each.type === "chunk" && each.name === name);
      const made = named("first");
      const chart = named("TimeChartPlot");
      if (!made || !chart) return [];
      const attrs = { type: "module", async: true, crossorigin: true, src: `/${made.fileName}` };
      return [
        { tag: "script", attrs, injectTo: "head-prepend" },
        {
          tag: "link",
          attrs: { rel: "modulepreload", crossorigin: true, href: `/${chart.fileName}` },
          injectTo: "head",
        },
      ];
    },
  },
};

export default defineConfig({
  plugins: [react(), first],
  resolve: { alias: { "@": new URL("./src", import.meta.url).pathname } },
  build: {
    target: "es2023",
    // No data: addresses for scripts or fonts: the Content-Security-Policy lets only images have those.
    assetsInlineLimit: 0,
    // What a page needs beside its own file is there already, but for a little.
    modulePreload: {
      polyfill: false,
      resolveDependencies: (_, needed, { hostType }) => (hostType === "html" ? needed : []),
    },
    // Few files: each takes both sides some milliseconds, and a browser asks for six at a time.
    cssCodeSplit: false,
    rollupOptions: {
      input: { index: "index.html", first: "src/first.ts" },
      output: {
        codeSplitting: {
          includeDependenciesRecursively: false,
          groups: [
            { name: "asked", test: ASKED, priority: 2 },
            { name: "kit", test: EVERYWHERE, priority: 1 },
          ],
        },
      },
    },
  },
  server: { proxy: { "/api": SERVER, "/health": SERVER } },
});
