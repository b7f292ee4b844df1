import { emptyPlan, type Framework, type Plan, type Source } from "../framework.ts";

const server = "support/serve.mjs";

/** A site of files only, served by a small server that travels in the droplet. */
export const staticSite: Framework = {
  name: "static",
  aliases: ["staticfile", "staticfile_buildpack"],
  recognise(source) {
    const root = rootOf(source);
    return root && `there is an ${inRoot(root)}`;
  },
  plan(source): Plan {
    const root = rootOf(source) ?? ".";
    return {
      ...emptyPlan,
      start: `node ../${server} ${root}`,
      ship: { [server]: new URL("../static/serve.mjs", import.meta.url) },
      facts: { root },
    };
  },
};

function rootOf({ names }: Source): string | undefined {
  return [".", "public", "dist"].find((root) => names.includes(inRoot(root)));
}

function inRoot(root: string): string {
  return root === "." ? "index.html" : `${root}/index.html`;
}
