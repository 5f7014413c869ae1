import { readKeptAhead } from "../cache/kept-ahead.ts";
import { parallelShards } from "../download/shard-reader.ts";

/** What is kept of the model by whose URL this worker is called, on its way; undefined where it has no name. */
export const ahead = self.name === "" ? undefined : readKeptAhead(self.name, parallelShards);
