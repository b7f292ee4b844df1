import { describe, expect, it } from "vitest";
import { BootstrapFault, faultOf, together } from "../../bootstrap/fault.ts";
import { gate } from "../../bootstrap/gate.ts";
import { takeLicense } from "../../bootstrap/license.ts";
import type { Ask, LoopbackAnswer } from "../../bootstrap/loopback.ts";
import type { BootstrapResult } from "../../bootstrap/options.ts";
import { receiptOf, rotatedIn } from "../../bootstrap/receipt.ts";

describe("the license step", () => {
  const options = () => ({
    told: [] as string[],
    ...{ deadline: performance.now() + 5000, stop: new AbortController().signal, pace: 1 },
  });
  const login = { email: "me@tutti.test", password: "correct horse battery" };
  const refused = (status: number, detail: string): LoopbackAnswer => ({ status, body: { errors: [{ detail }] } });
  const token: LoopbackAnswer = { status: 200, body: { access_token: "t", refresh_token: "r" } };

  /** A controller that gives these answers, one after the other. */
  function answering(answers: (LoopbackAnswer | Error)[]): { ask: Ask; asked: string[] } {
    const asked: string[] = [];
    const ask: Ask = async ({ method, path }) => {
      asked.push(`${method} ${path}`);
      const next = answers.shift() ?? { status: 200, body: { resources: [] } };
      if (next instanceof Error) throw next;
      return next;
    };
    return { ask, asked };
  }

  it("is taken again while the controller starts, is asked too often, or hangs up", async () => {
    const { ask } = answering([
      new Error("socket hang up"),
      refused(503, "starting"),
      refused(429, "Too many attempts"),
      { status: 201, body: {} },
      refused(502, "no"),
      token,
    ]);
    const { told, ...rest } = options();
    const licensed = await takeLicense(ask, login, { ...rest, tell: (why) => told.push(why) });
    expect(licensed).toMatchObject({ outcome: "done", accessToken: "t", refreshToken: "r" });
    expect(told.map((line) => line.replace("the controller says: ", ""))).toEqual([
      "socket hang up",
      "starting",
      "Too many attempts",
      "no",
    ]);
  });

  it("is not taken again when the answer is no, and tells the controller's own words", async () => {
    const { ask, asked } = answering([refused(422, "password is too short")]);
    const taken = takeLicense(ask, login, { ...options(), tell: () => {} });
    await expect(taken).rejects.toMatchObject({
      code: "license_failed",
      message: expect.stringContaining("password is too short"),
    });
    expect(asked).toEqual(["POST /stackato/license"]);
  });

  it("is not sent to one who cannot show the cluster's certificate, and gives up in time", async () => {
    const wrong = Object.assign(new Error("unable to verify the first certificate"), {
      code: "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
    });
    const stranger = answering([wrong]);
    await expect(takeLicense(stranger.ask, login, { ...options(), tell: () => {} })).rejects.toMatchObject({
      code: "license_failed",
    });
    expect(stranger.asked).toHaveLength(1);
    const never = answering(Array.from({ length: 1000 }, () => refused(503, "starting")));
    const late = takeLicense(never.ask, login, { ...options(), deadline: performance.now() + 50, tell: () => {} });
    await expect(late).rejects.toMatchObject({ code: "license_failed", message: "starting" });
  });

  it("without a password needs a login that is kept, and makes one up only where nobody was before", async () => {
    const open = { status: 200, body: { licensed: false } };
    const none = takeLicense(answering([open]).ask, { email: "me@tutti.test" }, { ...options(), tell: () => {} });
    await expect(none).rejects.toMatchObject({ code: "license_failed" });
    const { ask } = answering([open, { status: 201, body: {} }, token]);
    const made = await takeLicense(
      ask,
      { email: "me@tutti.test", makeUp: () => "by chance" },
      { ...options(), tell: () => {} },
    );
    expect(made.outcome).toBe("done");
    const taken = answering([{ status: 200, body: { licensed: true } }]);
    const claimed = takeLicense(
      taken.ask,
      { email: "me@tutti.test", makeUp: () => "by chance" },
      { ...options(), tell: () => {} },
    );
    await expect(claimed).rejects.toMatchObject({ code: "claimed", exit: 3 });
  });
});

describe("a gate", () => {
  it("lets only so many through at a time, and everybody in the end", async () => {
    const limit = gate(3);
    let inside = 0;
    let most = 0;
    const act = async (i: number) => {
      most = Math.max(most, ++inside);
      await new Promise((resolve) => setImmediate(resolve));
      inside--;
      if (i % 5 === 0) throw new Error("one that fails leaves its place too");
      return i;
    };
    const ends = await Promise.allSettled(Array.from({ length: 40 }, (_, i) => limit(() => act(i))));
    expect(most).toBe(3);
    expect(ends.filter(({ status }) => status === "fulfilled")).toHaveLength(32);
  });
});

describe("faults of several nodes", () => {
  const fault = (message: string, code: "ssh_refused" | "host_key_differs" | "not_ready") =>
    new BootstrapFault(message, { code, hint: `for ${code}` });

  it("are one, which tells the gravest's code, and nodes with the same trouble in one line", () => {
    const all = new Map([
      ["a", fault("closed", "ssh_refused")],
      ["b", fault("differs", "host_key_differs")],
      ["c", fault("closed", "ssh_refused")],
    ]);
    const one = together(all);
    expect(one).toMatchObject({ code: "host_key_differs", exit: 6, hint: "for host_key_differs" });
    expect(one.message).toBe("a, c: closed\n  b: differs");
  });

  it("may be anything that was thrown", () => {
    expect(faultOf(new TypeError("oh"))).toMatchObject({ code: "step_failed", message: "oh", exit: 1 });
    expect(faultOf("text")).toMatchObject({ message: "text" });
  });
});

describe("a receipt", () => {
  const result = (steps: string[]): BootstrapResult => ({
    ...{ outcome: "done", cluster: "trio", api: "http://api", email: "me", controller: "lead-0", seconds: 1 },
    nodes: [
      {
        name: "lead-0",
        id: "lead-0",
        machine: "i-0a",
        ssh: "h:22",
        roles: ["core"],
        hostKey: "SHA256:x",
        steps,
        trips: 3,
        seconds: 1,
      },
    ],
    login: { accessToken: "secret one", refreshToken: "secret two" },
  });

  it("remembers when it was first, and which passwords were replaced, and no secret", () => {
    const first = receiptOf(result(["password rotated"]), undefined, 0);
    const second = receiptOf(result([]), first, 86_400_000);
    expect(second).toMatchObject({
      since: "1970-01-01T00:00:00.000Z",
      at: "1970-01-02T00:00:00.000Z",
      nodes: [{ rotated: true }],
    });
    expect(rotatedIn(second)).toEqual(new Set(["i-0a"]));
    expect(JSON.stringify(second)).not.toContain("secret");
    const anew = { ...result([]), nodes: result([]).nodes.map((node) => ({ ...node, machine: "i-0b" })) };
    expect(rotatedIn(receiptOf(anew, second, 0))).toEqual(new Set());
  });
});
