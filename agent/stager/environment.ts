export interface BuildPlace {
  /** PATH of the package managers. */
  path: string;
  /** HOME: a directory that lives as long as the build. */
  home: string;
  /** TMPDIR. */
  tmp: string;
  /** Caches of the package managers, shared between builds. */
  cache: string;
}

type Variables = Record<string, string>;

const passed = /^(https?_proxy|no_proxy|all_proxy|ssl_cert_file|ssl_cert_dir|node_extra_ca_certs|lang|lc_all|tz)$/i;

// How this machine reaches its registries. Not all of npm_config_*: under `npm start` npm itself sets dozens of them,
// among them the directory to install into.
const npmKeys = new Set(
  "registry ca cafile strict_ssl proxy https_proxy noproxy maxsockets globalconfig replace_registry_host offline".split(
    " ",
  ),
);
const npmPrefixes = ["fetch_", "@"];
// What says where pip installs is ours to say.
const notPip = /^pip_(cache_dir|target|prefix|root|user|require_virtualenv|src|no_deps)$/i;

/**
 * The environment of a build: the user's own variables and what reaches the registries, nothing else of the agent's.
 * What says where things are put cannot be overridden.
 */
export function buildEnvironment(place: BuildPlace, agent: NodeJS.ProcessEnv, user: readonly string[]): Variables {
  return {
    LANG: "C.UTF-8",
    ...inherited(agent),
    ...npmDefaults,
    ...variables(user),
    PATH: place.path,
    HOME: place.home,
    TMPDIR: place.tmp,
    npm_config_cache: `${place.cache}/npm`,
    PIP_CACHE_DIR: `${place.cache}/pip`,
    CI: "true",
  };
}

const npmDefaults = { npm_config_update_notifier: "false", npm_config_progress: "false", npm_config_color: "false" };

function inherited(agent: NodeJS.ProcessEnv): Variables {
  const result: Variables = {};
  for (const [name, value] of Object.entries(agent)) if (value !== undefined && mayPass(name)) result[name] = value;
  return result;
}

function mayPass(name: string): boolean {
  const npm = /^npm_config_(.+)$/i.exec(name)?.[1]?.toLowerCase().replaceAll("-", "_");
  if (npm) return npmKeys.has(npm) || npmPrefixes.some((prefix) => npm.startsWith(prefix));
  if (/^pip_/i.test(name)) return !notPip.test(name);
  return passed.test(name);
}

/** `K=V` lines; what is none is ignored. */
export function variables(lines: readonly string[]): Variables {
  return Object.fromEntries(
    lines.flatMap((line) => {
      const found = /^([A-Za-z_]\w*)=(.*)$/s.exec(line);
      return found?.[1] === undefined ? [] : [[found[1], found[2] ?? ""]];
    }),
  );
}
