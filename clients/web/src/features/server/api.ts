import { Api } from "@outrider/sdk";

/** The control plane that served this page. */
export const api = new Api();

/** Where its WebSockets are. */
export const socketOrigin = location.origin.replace(/^http/, "ws");
