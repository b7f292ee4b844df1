import { describe, expect, test } from "vitest";
import { detect, type Wishes } from "../../../agent/stager/detect.ts";
import type { Files } from "../../support/stager.ts";

const look = (files: Files, wishes: Wishes = {}) =>
  detect({ names: Object.keys(files), read: (name) => files[name] }, wishes);
const start = (files: Files, wishes?: Wishes) => look(files, wishes).start;
const pkg = (content: object) => ({ "package.json": JSON.stringify(content) });
const commands = (files: Files) => look(files).plan.steps.map((step) => [step.command, ...step.args].join(" "));

describe("Node.js", () => {
  test("is started by scripts.start, else main, else server.js, app.js or index.js", () => {
    expect(start({ ...pkg({ scripts: { start: "node x.js --flag" }, main: "y.js" }), "y.js": "" })).toBe(
      "node x.js --flag",
    );
    expect(start({ ...pkg({ main: "./y.js" }), "y.js": "", "server.js": "" })).toBe("node y.js");
    expect(start({ ...pkg({ main: "lib" }), "lib/index.js": "" })).toBe("node lib");
    expect(start({ ...pkg({ main: "a/b/c.js" }) })).toBe("node a/b/c.js");
    expect(start({ ...pkg({}), "index.js": "", "app.js": "" })).toBe("node app.js");
    expect(start({ ...pkg({ main: "index.js" }), "server.js": "" })).toBe("node server.js");
  });

  test("goes through npm when the start script leans on npm", () => {
    expect(start(pkg({ scripts: { start: "next start" } }))).toBe("npm start");
    expect(start(pkg({ scripts: { start: "node a.js", prestart: "x" } }))).toBe("npm start");
    expect(start(pkg({ scripts: { start: "node a.js $npm_package_version" } }))).toBe("npm start");
  });

  test("calls npm only when there is something to install", () => {
    const scripts = { start: "node a.js" };
    expect(commands(pkg({ scripts, devDependencies: { a: "1" } }))).toEqual([]);
    expect(commands({ ...pkg({ scripts, dependencies: {} }), "package-lock.json": "{}" })).toEqual([]);
    expect(commands(pkg({ scripts: { ...scripts, postinstall: "x" } }))).toHaveLength(1);
    expect(commands(pkg({ scripts, optionalDependencies: { a: "1" } }))).toHaveLength(1);
  });

  test("installs exactly what is locked when there is a lock file", () => {
    const app = pkg({ scripts: { start: "node a.js" }, dependencies: { a: "1" } });
    expect(commands(app)).toEqual(["npm install --omit=dev --no-audit --no-fund"]);
    for (const lock of ["package-lock.json", "npm-shrinkwrap.json"])
      expect(commands({ ...app, [lock]: "{}" })).toEqual(["npm ci --omit=dev --no-audit --no-fund"]);
  });

  test("keeps the engines it asks for", () => {
    const { plan } = look({ ...pkg({ engines: { node: ">=20" } }), "server.js": "" });
    expect(plan.facts).toEqual({ "engines.node": ">=20" });
    expect(plan.notes.join()).toContain(">=20");
  });

  test("without a start says what to put there", () => {
    expect(() => look(pkg({}))).toThrow("there is a package.json, but nothing says how to start it");
    expect(() => look({ "package.json": "[]" })).toThrow("package.json cannot be read: it must be an object");
  });
});

describe("Python", () => {
  const flask = { "requirements.txt": "Flask>=3\ngunicorn==23\n", "wsgi.py": "from x import y\napp = y()\n" };

  test("is served by gunicorn or uvicorn when they are listed and the app is found", () => {
    expect(start(flask)).toBe("python3 -m gunicorn --bind 0.0.0.0:$PORT wsgi:app");
    expect(start({ "requirements.txt": "uvicorn[standard]", "main.py": "app: FastAPI = FastAPI()" })).toBe(
      "python3 -m uvicorn --host 0.0.0.0 --port $PORT main:app",
    );
    expect(start({ "requirements.txt": "gunicorn", "app.py": "def application(e, s): pass" })).toContain(
      "app:application",
    );
  });

  test("is not served by something that only sounds like it", () => {
    expect(start({ "requirements.txt": "gunicorn-helper\n# gunicorn_x\n", "app.py": "app = 1" })).toBe(
      "python3 app.py",
    );
  });

  test("is started by main.py, app.py or server.py otherwise", () => {
    expect(start({ "requirements.txt": "", "server.py": "", "main.py": "" })).toBe("python3 main.py");
    expect(start({ "requirements.txt": "", "server.py": "" })).toBe("python3 server.py");
  });

  test("knows Django by manage.py and its wsgi module", () => {
    const site = { "manage.py": "", "shop/wsgi.py": "" };
    expect(start({ "requirements.txt": "django\ngunicorn", ...site })).toContain("shop.wsgi:application");
    expect(start({ "requirements.txt": "django", ...site })).toBe("python3 manage.py runserver 0.0.0.0:$PORT");
  });

  test("calls pip only when something is required", () => {
    expect(commands({ "requirements.txt": "# nothing\n\n", "app.py": "" })).toEqual([]);
    expect(commands({ "pyproject.toml": "[tool.black]\n", "app.py": "" })).toEqual([]);
    expect(commands({ "pyproject.toml": '[project]\nname="x"', "app.py": "" })[0]).toMatch(/^python3 -m pip .* \.$/);
    expect(commands({ "requirements.txt": "a", "app.py": "" })[0]).toMatch(/-r requirements.txt$/);
  });

  test("takes the script of a pyproject.toml when nothing else starts it", () => {
    expect(start({ "pyproject.toml": '[project]\nname="x"\n[project.scripts]\nx-web = "x:main"\n' })).toBe("x-web");
  });
});

describe("static sites", () => {
  test("are served from where their index.html is: here, public/ or dist/", () => {
    expect(start({ "index.html": "", "dist/index.html": "" })).toBe("node ../support/serve.mjs .");
    expect(start({ "public/index.html": "" })).toBe("node ../support/serve.mjs public");
    expect(start({ "dist/index.html": "" })).toBe("node ../support/serve.mjs dist");
  });
});

describe("a Procfile", () => {
  test("overrides the start of any framework and adds process types", () => {
    const found = look({
      ...pkg({ scripts: { start: "node a.js" } }),
      Procfile: "web: node b.js\nclock: node c.js # x",
    });
    expect(found.framework).toBe("nodejs");
    expect(found.processTypes).toEqual({ web: "node b.js", clock: "node c.js # x" });
  });

  test("alone is enough, also without a web process", () => {
    expect(look({ Procfile: "web: ./run --port $PORT\r\n\r\n# comment\r\n", run: "" })).toMatchObject({
      framework: "procfile",
      start: "./run --port $PORT",
    });
    expect(look({ Procfile: "worker: ./run" })).toMatchObject({ start: undefined, processTypes: { worker: "./run" } });
  });

  test("without a single process type is none", () => {
    expect(() => look({ Procfile: "just text" })).toThrow("cannot tell what this is");
  });
});

describe("several at once", () => {
  test("Node.js comes before Python, Python before a static site", () => {
    const py = { "requirements.txt": "", "app.py": "" };
    expect(look({ ...pkg({}), "server.js": "", ...py, "index.html": "" }).framework).toBe("nodejs");
    expect(look({ ...py, "index.html": "" }).framework).toBe("python");
  });

  test("one that cannot be started gives way to one that can", () => {
    expect(look({ ...pkg({ devDependencies: { vite: "7" } }), "dist/index.html": "" }).framework).toBe("static");
    expect(look({ ...pkg({}), "requirements.txt": "", "app.py": "" }).framework).toBe("python");
  });
});

describe("wishes", () => {
  test("a framework asked for is taken, under each of its names, even where another is detected", () => {
    const files = { ...pkg({ scripts: { start: "node a.js" } }), "index.html": "" };
    for (const framework of ["static", "staticfile", "Staticfile_Buildpack"])
      expect(look(files, { framework }).framework).toBe("static");
    expect(look({ "server.js": "" }, { framework: "node" }).start).toBe("node server.js");
  });

  test("an unknown framework is refused with the known ones", () => {
    expect(() => look({ "index.html": "" }, { framework: "ruby" })).toThrow(
      expect.objectContaining({
        message: "there is no framework ruby",
        hint: expect.stringContaining("nodejs, python"),
      }),
    );
  });

  test("a command overrides everything, and makes an app startable that was not", () => {
    expect(start({ ...pkg({}), Procfile: "web: a" }, { command: "b" })).toBe("b");
    expect(start(pkg({}), { command: "b" })).toBe("b");
  });
});

describe("nothing to go by", () => {
  test("names what would help, and the lone directory that holds everything", () => {
    expect(() => look({ "readme.md": "" })).toThrow(
      expect.objectContaining({ hint: expect.stringMatching(/index.html or Procfile there$/) }),
    );
    expect(() => look({ "my-app/package.json": "{}" })).toThrow(
      expect.objectContaining({ hint: expect.stringContaining("everything is inside my-app/: push that directory") }),
    );
    expect(() => look({})).toThrow("there is not one file in the app");
  });
});
