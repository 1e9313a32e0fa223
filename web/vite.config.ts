import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

/** The server that `npm run dev` asks for data. */
const SERVER = "http://127.0.0.1:4318";

/** Has the page load `src/first.ts` by itself, before all else: as a part of the app it would come with the rest. */
const first: Plugin = {
  name: "first",
  transformIndexHtml: {
    order: "post",
    handler(_, { bundle }) {
      const made = Object.values(bundle ?? {}).find((each) => each.type === "chunk" && each.name === "first");
      if (!made) return [];
      const attrs = { type: "module", async: true, crossorigin: true, src: `/${made.fileName}` };
      return [{ tag: "script", attrs, injectTo: "head-prepend" }];
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
    modulePreload: { polyfill: false },
    rollupOptions: { input: { index: "index.html", first: "src/first.ts" } },
  },
  server: { proxy: { "/api": SERVER, "/health": SERVER } },
});
