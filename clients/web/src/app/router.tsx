import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from "@tanstack/react-router";

import { HomePage } from "./HomePage";
import { Failed, NotFound } from "./Message";
import { Root } from "./Root";

const root = createRootRoute({ component: Root, notFoundComponent: NotFound, errorComponent: Failed });

const home = createRoute({ getParentRoute: () => root, path: "/", component: HomePage });

const session = createRoute({
  getParentRoute: () => root,
  path: "/sessions/$session",
  component: lazyRouteComponent(() => import("./SessionPage")),
  remountDeps: ({ params }) => params,
});

const pull = createRoute({
  getParentRoute: () => root,
  path: "/pulls/$repository/$number",
  component: lazyRouteComponent(() => import("./PullPage")),
  remountDeps: ({ params }) => params,
});

const pulls = createRoute({
  getParentRoute: () => root,
  path: "/pulls",
  component: lazyRouteComponent(() => import("./PullsPage")),
});

const sandboxes = createRoute({
  getParentRoute: () => root,
  path: "/sandboxes",
  component: lazyRouteComponent(() => import("./SandboxesPage")),
});

const join = createRoute({
  getParentRoute: () => root,
  path: "/join",
  component: lazyRouteComponent(() => import("./JoinPage")),
});

const routeTree = root.addChildren([home, session, pulls, pull, sandboxes, join]);

export const router = createRouter({ routeTree, defaultPreload: "intent" });

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
