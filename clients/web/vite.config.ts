import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

/** The server that `npm run dev` talks to: `outrider up`, or `scripts/web_preview.py`. */
const SERVER = process.env.OUTRIDER_SERVER ?? "http://127.0.0.1:4177";
const OUT = fileURLToPath(new URL("../../src/outrider/api/static", import.meta.url));

export default defineConfig({
  plugins: [react(), tailwindcss()],
  resolve: { alias: { "@": fileURLToPath(new URL("src", import.meta.url)) } },
  build: {
    outDir: OUT,
    emptyOutDir: true,
    target: "es2023",
    assetsInlineLimit: 0, // a data: URL is not of our own origin, and the page's policy refuses it for fonts
  },
  server: { host: "127.0.0.1", proxy: { "/api": { target: SERVER, ws: true }, "/login": SERVER } },
});
