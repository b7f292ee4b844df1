import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { enterCommand } from "../../rehearsal/room/enter.ts";
import { run as program } from "../../rehearsal/room/programs.ts";
import { allRooms } from "../../rehearsal/room/tidy.ts";
import { type Person, person, type Ran } from "./tutti.ts";
import { until } from "./until.ts";

const exec = promisify(execFile);

/** What `tutti rehearse --json` answers. */
export interface Rehearsed {
  readonly ok: boolean;
  readonly url: string;
  readonly status: number;
  readonly seconds: number;
  readonly steps: readonly { name: string; seconds: number }[];
  readonly nodes: readonly RehearsedNode[];
  readonly inside?: string;
}

export interface RehearsedNode {
  readonly id: string;
  readonly instance: string;
  readonly privateAddress: string;
  readonly publicAddress: string;
  readonly roles: string[];
  readonly bootSeconds?: number;
}

/** A program that runs in the room until it is told to end. */
export interface Meanwhile<T> {
  /** Ends its input → the object that it prints then. */
  end(): Promise<T>;
}

export interface Rehearsing {
  readonly me: Person;
  /** `tutti rehearse examples/trio/cluster.yaml --json …` → its answer. Rejects with what it printed. */
  rehearse(...more: string[]): Promise<Rehearsed>;
  /** The same of another cluster.yaml. */
  rehearseOf(spec: string, ...more: string[]): Promise<Rehearsed>;
  /** Starts one and kills the command, and nothing else, as soon as it has printed this. */
  killedAt(words: RegExp): Promise<Ran>;
  /** A line of shell in the room that stands, or is made just now. Rejects when it fails. */
  inside(line: string): Promise<string>;
  /** The same for one that goes on while the test does. */
  meanwhile<T>(line: string): Promise<Meanwhile<T>>;
  /** Directory of the room that stands, with machines and keys; undefined as long as there is none. */
  place(): Promise<string | undefined>;
  /** What of the rehearsal is left on this computer: processes, mounts, loop devices, network namespaces, interfaces. */
  leftovers(): Promise<string[]>;
  gone(): Promise<void>;
}

const spec = fileURLToPath(new URL("../../examples/trio/cluster.yaml", import.meta.url));
const bin = fileURLToPath(new URL("../../node_modules/.bin", import.meta.url));

export async function rehearsing(): Promise<Rehearsing> {
  const me = await person();
  const folder = join(me.home, "rehearsal");
  const before = await network();
  let look = "";
  let scripts = 0;
  const type = (args: readonly string[], during?: (child: ChildProcess) => void) =>
    me.tutti(["rehearse", ...args], { during });
  const rehearseOf = async (which: string, ...more: string[]) => {
    const ran = await type([which, "--json", ...more]);
    if (ran.code !== 0) throw new Error(`rehearse ended with ${ran.code}:\n${ran.err}\n${ran.out}\n${lastOf(folder)}`);
    const answer = ran.json() as unknown as Rehearsed;
    look = answer.inside ?? "";
    return answer;
  };
  return {
    me,
    rehearse: (...more) => rehearseOf(spec, ...more),
    rehearseOf,
    killedAt: (words) =>
      type([spec, "--json"], (child) => {
        let said = "";
        child.stderr?.on("data", (text: string) => {
          said += text;
          if (words.test(said)) child.kill("SIGKILL");
        });
      }),
    async inside(line) {
      const { stdout } = await exec("bash", ["-c", await lookFor(line)], { maxBuffer: 2 ** 24 });
      return stdout;
    },
    async meanwhile<T>(line: string) {
      const child = spawn("bash", ["-c", `exec ${await lookFor(`exec ${line}`)}`], {
        stdio: ["pipe", "pipe", "inherit"],
      });
      let out = "";
      child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
      child.stdin.on("error", () => {});
      const closed = once(child, "close");
      const end = async () => {
        child.stdin.end();
        await closed;
        return JSON.parse(out) as T;
      };
      return { end };
    },
    place: async () => (await mine())?.folder,
    async leftovers() {
      const mounts = readFileSync("/proc/self/mounts", "utf8").split("\n");
      const loops = (await program("losetup", ["--list", "--noheadings", "--output", "BACK-FILE"])).split("\n");
      return [...(await allRooms()).map((room) => room.folder), ...commandLines(), ...mounts, ...loops]
        .filter((text) => text.includes(folder))
        .concat((await network()).filter((one) => !before.includes(one)));
    },
    async gone() {
      await me.tutti(["rehearse", "down"]);
      await me.gone();
    },
  };

  async function mine() {
    return (await allRooms()).find((room) => dirname(room.folder) === folder && room.pid !== undefined);
  }

  /** A file with these lines of shell, and the command that runs it in the room. */
  async function lookFor(lines: string): Promise<string> {
    const script = join(me.home, `lines-${++scripts}.sh`);
    writeFileSync(script, lines);
    const room = look ? undefined : await mine();
    const env = room && ["env", `TUTTI_HOME=${room.folder}/home`, `PATH=${bin}:${process.env["PATH"]}`, "bash"];
    return `${room?.pid && env ? enterCommand(room.pid, env).join(" ") : look} ${script}`;
  }

  /** All processes but those that look. */
  function commandLines(): string[] {
    return readdirSync("/proc").flatMap((pid) => {
      try {
        return /^\d+$/.test(pid) ? [readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ")] : [];
      } catch {
        return [];
      }
    });
  }
}

async function network(): Promise<string[]> {
  const links = JSON.parse(await program("ip", ["-json", "link"])) as { ifname: string }[];
  const spaces = await program("ip", ["netns", "list"]);
  return [...links.map(({ ifname }) => ifname), ...spaces.split("\n").filter(Boolean)];
}

function lastOf(folder: string): string {
  try {
    return readFileSync(join(folder, readdirSync(folder)[0] ?? "", "rehearsal.log"), "utf8").slice(-4000);
  } catch {
    return "";
  }
}

/** Asks until a line of shell in the room succeeds and its output is as wanted. */
export async function untilInside(
  { inside }: Rehearsing,
  line: string,
  good: (out: string) => boolean,
  timeout = 60_000,
): Promise<void> {
  let out = "";
  await until(
    async () => {
      out = await inside(line).catch(String);
      return good(out);
    },
    { what: `${line} is as wanted`, timeout },
  ).catch((error: Error) => {
    throw new Error(`${error.message}; the last answer: ${out.slice(-2000)}`);
  });
}
