import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { lacks, lacksOfGroups, lacksText } from "../../../rehearsal/room/lacks.ts";
import { noMachines } from "../../support/machines.ts";

const file = new URL("../../../rehearsal/room/lacks.ts", import.meta.url).href;
const room = new URL("../../../rehearsal/room/room.ts", import.meta.url).href;

/** Runs a script as a user who is not root → what it printed. */
async function asNobody(script: string): Promise<string> {
  const args = ["--reuid", "65534", "--regid", "65534", "--clear-groups", process.execPath];
  const { stdout } = await promisify(execFile)("setpriv", [...args, "--input-type=module", "--eval", script]);
  return stdout;
}

describe("what machines need of this computer", () => {
  it.skipIf(noMachines)("is all there where machines are tested", async () => {
    expect(await lacks()).toEqual([]);
  });

  it.skipIf(process.getuid?.() !== 0)("is root first of all, said with what works without", async () => {
    const script = `import { lacks, lacksText } from "${file}"; console.log(lacksText(await lacks()))`;
    const text = await asNobody(script);
    expect(text).toMatch(/^machines can't boot here:\n {2}root: only root may .*\n {4}run it as root/);
    expect(text).toContain("`tutti solo up`");
    expect(text).not.toMatch(/\n\s+at /);
  });

  it.skipIf(process.getuid?.() !== 0)("is refused in a sentence to who enters a room without being root", async () => {
    const options = `{ command: "true", folder: "/tmp" }`;
    const script = `import { enterRoom } from "${room}";
      await enterRoom(${options}).catch(({ code, message, hint }) => console.log(JSON.stringify({ code, message, hint })))`;
    expect(JSON.parse(await asNobody(script))).toEqual({
      code: "not_root",
      message: expect.stringContaining("need root"),
      hint: expect.stringContaining("tutti solo up"),
    });
  });

  it("is a tree of control groups for memory that may be written", () => {
    const memory = { path: "/sys/fs/cgroup/memory", v2: false, controllers: ["memory"] };
    expect(lacksOfGroups([], () => true)).toMatchObject([
      { what: "control groups", why: expect.stringMatching(/none of them limits memory/) },
    ]);
    expect(lacksOfGroups([memory], () => false)[0]?.why).toBe("these may not be written: /sys/fs/cgroup/memory");
    expect(lacksOfGroups([memory], () => true)).toEqual([]);
  });

  it("is told with the next step for each", () => {
    const text = lacksText([{ what: "nft", why: "it is not there", hint: "fetch it" }]);
    expect(text.split("\n").slice(0, 3)).toEqual([
      "machines can't boot here:",
      "  nft: it is not there",
      "    fetch it",
    ]);
  });
});
