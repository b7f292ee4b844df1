import { emptyPlan, type Framework } from "../framework.ts";
import { parseProcfile } from "../procfile.ts";

/** Anything that says itself how it is started. Nothing is built. */
export const procfile: Framework = {
  name: "procfile",
  aliases: ["binary", "binary_buildpack"],
  recognise: (source) =>
    Object.keys(parseProcfile(source.read("Procfile"))).length > 0 ? "there is a Procfile" : undefined,
  plan: () => emptyPlan,
};
