import { emptyPlan, type Framework, type Plan, type Source, type Step } from "../framework.ts";

const target = "../python";

export const python: Framework = {
  name: "python",
  aliases: ["python3", "python_buildpack"],
  recognise({ names }) {
    const file = ["requirements.txt", "pyproject.toml"].find((name) => names.includes(name));
    return file && `there is a ${file}`;
  },
  plan(source): Plan {
    const wanted = requirements(source);
    return {
      ...emptyPlan,
      steps: wanted ? [pip(wanted), relocate, compile] : [],
      start: startOf(source),
      missing: "put a main.py, app.py or server.py there, or a Procfile with a line `web: COMMAND`",
      path: ["python/bin"],
      search: { PYTHONPATH: "python" },
      defaults: { PYTHONUNBUFFERED: "1" },
    };
  },
};

function requirements(source: Source): string[] | undefined {
  const text = source.read("requirements.txt");
  if (text !== undefined) return /^\s*[^#\s]/m.test(text) ? ["-r", "requirements.txt"] : undefined;
  // A pyproject.toml that only configures tools is no package.
  return /^\s*\[(project|build-system)\]/m.test(source.read("pyproject.toml") ?? "") ? ["."] : undefined;
}

// Into a directory rather than a virtual environment: a droplet moves, and virtual environments hold absolute paths.
function pip(what: readonly string[]): Step {
  const quiet = ["--no-input", "--no-compile", "--no-warn-script-location", "--disable-pip-version-check"];
  return { command: "python3", args: ["-m", "pip", "install", "--target", target, ...quiet, ...what], hint: noPip };
}

function noPip(lines: string): string | undefined {
  return lines.includes("No module named pip") ? "install python3-pip on the nodes with the role stager" : undefined;
}

// Scripts of packages name the interpreter of this machine; the one that runs them may have it elsewhere.
const relocate: Step = {
  command: "python3",
  args: [
    "-c",
    `import pathlib, re, sys
for file in pathlib.Path(sys.argv[1], "bin").glob("*"):
    if file.is_file() and not file.is_symlink():
        old = file.read_bytes()
        new = re.sub(rb"\\A(#!/bin/sh\\n'''exec' .*\\n' '''|#!.*python[^/\\n]*)\\n", b"#!/usr/bin/env python3\\n", old)
        if new != old:
            file.write_bytes(new)`,
    target,
  ],
};

// By hash and not by time: every file of a droplet has the same time.
const compile: Step = {
  command: "python3",
  args: ["-m", "compileall", "-qq", "--invalidation-mode", "unchecked-hash", target],
  optional: true,
};

const bind = "0.0.0.0:$PORT";

function startOf(source: Source): string | undefined {
  const listed = `${source.read("requirements.txt")}\n${source.read("pyproject.toml")}`.toLowerCase();
  const has = (name: string) => new RegExp(`(^|["'\\s])${name}([^\\w-]|$)`, "m").test(listed);
  const site = django(source);
  const app = site ?? moduleOf(source);
  if (app && has("gunicorn")) return `python3 -m gunicorn --bind ${bind} ${app}`;
  if (app && has("uvicorn")) return `python3 -m uvicorn --host 0.0.0.0 --port $PORT ${app}`;
  if (site) return `python3 manage.py runserver ${bind}`;
  const script = ["main.py", "app.py", "server.py"].find((name) => source.names.includes(name));
  return script ? `python3 ${script}` : projectScript(source.read("pyproject.toml"));
}

function django({ names }: Source): string | undefined {
  const wsgi = names.find((name) => /^\w+\/wsgi\.py$/.test(name));
  return names.includes("manage.py") && wsgi ? `${wsgi.slice(0, -"/wsgi.py".length)}.wsgi:application` : undefined;
}

/** `module:variable` of the first file that defines an app at its top level. */
function moduleOf(source: Source): string | undefined {
  for (const module of ["wsgi", "asgi", "app", "main", "server"]) {
    const text = source.read(`${module}.py`) ?? "";
    const variable =
      /^(app|application|server)\s*(?::[^=\n]+)?=/m.exec(text)?.[1] ?? /^def (app|application)\(/m.exec(text)?.[1];
    if (variable) return `${module}:${variable}`;
  }
  return undefined;
}

function projectScript(pyproject: string | undefined): string | undefined {
  return /^\[project\.scripts\]\s*\n\s*["']?([\w.-]+)["']?\s*=/m.exec(pyproject ?? "")?.[1];
}
