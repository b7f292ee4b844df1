import { Fault } from "../../run/fault.ts";
import { emptyPlan, type Framework, type Plan, type Source, type Step } from "../framework.ts";

interface Package {
  main?: string;
  engines?: Record<string, string>;
  scripts?: Record<string, string>;
  [key: string]: unknown;
}

export const nodejs: Framework = {
  name: "nodejs",
  aliases: ["node", "nodejs_buildpack"],
  recognise: (source) => (source.names.includes("package.json") ? "there is a package.json" : undefined),
  plan(source): Plan {
    const pkg = parsePackage(source.read("package.json"));
    const node = pkg.engines?.["node"];
    return {
      ...emptyPlan,
      steps: needsInstall(pkg) ? [install(source)] : [],
      start: startOf(pkg, source),
      missing:
        'put "scripts": {"start": "node FILE"} in package.json, a server.js, or a Procfile with a line `web: COMMAND`',
      path: ["app/node_modules/.bin"],
      defaults: { NODE_ENV: "production" },
      facts: node ? { "engines.node": node } : {},
      notes: node ? [`package.json asks for Node.js ${node}; it runs on the node of the cluster's machines`] : [],
    };
  },
};

function parsePackage(text: string | undefined): Package {
  try {
    const json: unknown = JSON.parse(text?.replace(/^\uFEFF/, "") ?? "{}");
    if (typeof json === "object" && json !== null && !Array.isArray(json)) return json as Package;
    throw new Error("it must be an object");
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Fault(`package.json cannot be read: ${why}`, { code: "bad_package_json", hint: "correct it", cause });
  }
}

// npm costs hundreds of milliseconds even when it has nothing to do.
function needsInstall(pkg: Package): boolean {
  const filled = (key: string) => Object.keys(pkg[key] ?? {}).length > 0;
  const wanted = ["dependencies", "optionalDependencies", "peerDependencies", "workspaces"].some(filled);
  return wanted || ["preinstall", "install", "postinstall", "prepare"].some((name) => pkg.scripts?.[name]);
}

function install({ names }: Source): Step {
  const locked = names.includes("package-lock.json") || names.includes("npm-shrinkwrap.json");
  const args = [locked ? "ci" : "install", "--omit=dev", "--no-audit", "--no-fund"];
  return { command: "npm", args, env: { NODE_ENV: "production" } };
}

function startOf(pkg: Package, { names }: Source): string | undefined {
  const script = pkg.scripts?.["start"];
  if (script) return directly(pkg, script) ? script.trim() : "npm start";
  const isThere = (file: string) => [file, `${file}.js`, `${file}/index.js`].some((name) => names.includes(name));
  const main = pkg.main?.replace(/^\.\//, "");
  const file = main && (isThere(main) || main.split("/").length > 2) ? main : undefined;
  const found = file ?? ["server.js", "app.js", "index.js"].find((name) => names.includes(name));
  return found && `node ${found}`;
}

// `npm start` swallows signals and doubles the start-up time, so a plain `node …` is run without it;
// whatever leans on what npm adds (hooks, npm_ variables, binaries of dependencies) still goes through it.
function directly({ scripts }: Package, start: string): boolean {
  return /^node\s/.test(start) && !/npm_/.test(start) && !scripts?.["prestart"] && !scripts?.["poststart"];
}
