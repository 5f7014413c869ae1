import type { LoadOptions } from "./load-version.ts";
import type { ModelConfig } from "./model-config.ts";
import type { ServeOptions } from "./served-model.ts";

/** How a repository loads its models. */
export interface RepositoryOptions
  extends Omit<LoadOptions, "complete">,
    Pick<ServeOptions, "maxLoadRetries" | "loadRetryMs"> {
  /** How often the base paths are looked at for new versions; 0, the default, never after the first time. */
  readonly pollMs?: number | undefined;
  /** Whether a new label may be given to a version that isn't available (default false). */
  readonly allowLabelsForUnavailable?: boolean | undefined;
  /** Told of the models that are to be served from now on. */
  readonly onModels?: ((models: readonly ModelConfig[]) => void) | undefined;
}
