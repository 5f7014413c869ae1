// A page whose component the test mounts, changes and takes away.
import { useSession } from "nearside/react";
import { createElement, StrictMode, useEffect } from "react";
import { createRoot } from "react-dom/client";

const root = createRoot(document.querySelector("main"));

/** What each render was given of the session, in order. */
globalThis.renders = [];

/** How often the component was mounted: StrictMode does so twice. */
globalThis.mounts = 0;

function Model({ model, options }) {
  const { session, progress, error } = useSession(model, options);
  useEffect(() => {
    globalThis.mounts++;
  }, []);
  globalThis.renders.push({ model, open: session?.model, loadedBytes: progress?.loadedBytes, code: error?.code });
  if (error) return createElement("p", null, `error: ${error.code}`);
  return createElement("p", null, session ? `open: ${session.model}` : "opening");
}

/** Renders the component with these properties, or none. */
globalThis.renderModel = (props) => root.render(props && createElement(StrictMode, null, createElement(Model, props)));
