import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packagesFor } from "../../cloudinit/packages.ts";
import { UserDataTooLarge } from "../../cloudinit/refusals.ts";
import { budget, fill, renderBakeScript, renderUserData, userDataText } from "../../cloudinit/render.ts";
import { birth as birthSchema } from "../../roles/birth.ts";
import { checker, schemaProblems } from "../support/checkers.ts";
import { availableRoles, birthOf, birthWith, cloudConfig, combinations } from "../support/cloudinit.ts";

const run = promisify(execFile);
let work: string;
beforeAll(() => {
  work = mkdtempSync(join(tmpdir(), "tutti-render-"));
});
afterAll(() => rmSync(work, { recursive: true, force: true }));

const fileOf = (text: string, path: string) => cloudConfig(text).write_files.find((file) => file.path === path);
const scriptOf = (text: string) => fileOf(text, "/usr/local/lib/tutti/boot")?.content ?? "";

describe("user data, for every combination of roles", () => {
  it("fits, and leaves room for longer names", () => {
    expect(combinations).toHaveLength(63);
    for (const roles of combinations) expect(renderUserData(birthWith(roles)).length).toBeLessThan(budget * 0.75);
  });

  it("passes cloud-init's own schema", async () => {
    const texts = Object.fromEntries(combinations.map((roles) => [roles.join("-"), userDataText(birthWith(roles))]));
    expect(await schemaProblems(work, texts)).toEqual([]);
    const wrong = userDataText(birthOf()).replace("permissions:", "permission:");
    expect(await schemaProblems(work, { wrong })).toHaveLength(1);
  }, 120_000);

  it("has a script without a fault that shellcheck knows", async () => {
    const scripts = new Set(combinations.map((roles) => scriptOf(userDataText(birthWith(roles)))));
    const files = [...scripts, renderBakeScript(availableRoles)].map((text, i) => {
      writeFileSync(join(work, `boot-${i}`), text);
      return join(work, `boot-${i}`);
    });
    await run(checker("shellcheck"), ["--external-sources", "--severity=style", ...files]);
  }, 120_000);

  it("tells the machine all that the birth says, and which packages its roles need", () => {
    for (const roles of combinations) {
      const birth = birthWith(roles);
      const text = userDataText(birth);
      const told: unknown = JSON.parse(fileOf(text, "/etc/tutti/birth.json")?.content ?? "");
      expect(birthSchema.parse(told)).toEqual(birth);
      expect(scriptOf(text)).toContain(
        `\npackages=(${packagesFor(roles)
          .map((one) => `'${one}'`)
          .join(" ")})\n`,
      );
    }
  });
});

describe("user data", () => {
  it("is what it was when it was last looked at", async () => {
    await expect(userDataText(birthWith(["router", "controller"]))).toMatchFileSnapshot(
      "__snapshots__/router-controller.yaml",
    );
  });

  it("is gzip without a time or a name, the same bytes each time", () => {
    const bytes = renderUserData(birthOf());
    expect([...bytes.slice(0, 10)]).toEqual([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
    expect(gunzipSync(bytes).toString()).toBe(userDataText(birthOf()));
    expect(renderUserData(birthOf())).toEqual(bytes);
  });

  it("runs one command, so that cloud-init's verdict is about that one", () => {
    expect(cloudConfig(userDataText(birthOf())).runcmd).toEqual([["/usr/local/lib/tutti/boot"]]);
  });

  it("lets nobody but root read the claim", () => {
    const text = userDataText(birthOf());
    const { claim } = birthOf();
    const holders = cloudConfig(text).write_files.filter(({ content }) => content.includes(claim.secret));
    expect(holders).toMatchObject([{ path: "/etc/tutti/birth.json", permissions: "0600", owner: "root:root" }]);
    expect(text.split(claim.secret)).toHaveLength(2);
  });

  it("survives values that shells and YAML would take for something else", async () => {
    const sources = ["https://mirror.example/$(reboot)'\"; echo {{x}}", "s3://b/`id`"];
    const birth = birthOf({ region: "eu'; reboot; '", bundle: { ...birthOf().bundle, sources } });
    const text = userDataText(birth);
    expect(JSON.parse(fileOf(text, "/etc/tutti/birth.json")?.content ?? "")).toEqual(birth);
    const values = scriptOf(text)
      .split("\n")
      .filter((line) => /^(region|sources)=/.test(line));
    const script = [...values, 'printf "%s\\n" "$region" "$' + '{sources[@]}"'].join("\n");
    const { stdout } = await run("bash", ["-c", script]);
    expect(stdout).toBe([birth.region, ...sources, ""].join("\n"));
  });
});

describe("user data that must not be sent", () => {
  it("is refused with its size and with what to shorten, when it is too large", () => {
    const noise = Array.from({ length: 500 }, (_, i) => createHash("sha256").update(String(i)).digest("base64"));
    const refused = capture(() => renderUserData(birthOf({ ca: noise.join("\n") })));
    expect(refused).toBeInstanceOf(UserDataTooLarge);
    const message = expect.stringMatching(/^user data would be \d{5} bytes, EC2 takes 16384$/);
    const hint = expect.stringMatching(/^shorten the certificate authority \(22499: .*\), then sources of the bundle/);
    expect(refused).toMatchObject({ code: "user_data_too_large", message, hint });
  });

  it.each(["a\nb", "a\u2028b", "\u0085", "é"])(
    "is refused when a line could break in the cluster's name: %j",
    (cluster) => {
      const birth = birthOf();
      expect(capture(() => renderUserData({ ...birth, node: { ...birth.node, cluster } }))).toMatchObject({
        code: "bad_birth",
      });
    },
  );

  it("is refused when a template asks for what is not there", () => {
    expect(capture(() => fill("userdata.yaml.hbs", { cluster: "c", files: [] }))).toMatchObject({
      code: "missing_value",
    });
    expect(capture(() => fill("boot.sh.hbs", { id: "x", sources: [], packages: [] }))).toMatchObject({
      code: "missing_value",
    });
  });

  it("is refused when the birth is none", () => {
    const birth = birthOf({ bundle: { ...birthOf().bundle, sha256: "short" } });
    expect(capture(() => renderUserData(birth))).toMatchObject({
      code: "bad_birth",
      message: expect.stringContaining("bundle.sha256"),
    });
  });
});

describe("the recipe of a baked image", () => {
  it("installs what all the roles need, from the same table", () => {
    const script = renderBakeScript(availableRoles);
    for (const one of combinations.flatMap(packagesFor)) expect(script).toContain(`'${one}'`);
  });
});

function capture(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was refused");
}
