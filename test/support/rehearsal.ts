import { type ChildProcess, execFile } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
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
  readonly nodes: readonly {
    id: string;
    instance: string;
    publicAddress: string;
    roles: string[];
    bootSeconds?: number;
  }[];
  readonly inside?: string;
}

export interface Rehearsing {
  readonly me: Person;
  /** `tutti rehearse examples/trio/cluster.yaml --json …` → its answer. Rejects with what it printed. */
  rehearse(...more: string[]): Promise<Rehearsed>;
  /** The same of another cluster.yaml. */
  rehearseOf(spec: string, ...more: string[]): Promise<Rehearsed>;
  /** Starts one and kills the command, and nothing else, as soon as it has printed this. */
  killedAt(words: RegExp): Promise<Ran>;
  /** A line of shell in the room that stands. Rejects when it fails. */
  inside(line: string): Promise<string>;
  /** What of the rehearsal is left on this computer: processes, mounts, loop devices, network namespaces, interfaces. */
  leftovers(): Promise<string[]>;
  gone(): Promise<void>;
}

const spec = fileURLToPath(new URL("../../examples/trio/cluster.yaml", import.meta.url));

export async function rehearsing(): Promise<Rehearsing> {
  const me = await person();
  const folder = join(me.home, "rehearsal");
  const before = await network();
  let look = "";
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
      const script = join(me.home, "line.sh");
      writeFileSync(script, line);
      const { stdout } = await exec("bash", ["-c", `${look} ${script}`], { maxBuffer: 2 ** 24 });
      return stdout;
    },
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
    return readFileSync(join(folder, "trio", "rehearsal.log"), "utf8").slice(-4000);
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
