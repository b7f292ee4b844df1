import { describe, expect, it } from "vitest";
import { parseNode } from "../../roles/node.ts";

const whole = {
  id: "all-0",
  cluster: "solo",
  domain: "tutti.localhost",
  roles: ["core", "dea"],
  address: "127.0.0.1",
  home: "/var/lib/tutti/node",
  tools: "/opt/tutti/bin",
  ports: { router: 8080, controller: 9022, nats: 4222, files: 12345, instances: { first: 61001, last: 65000 } },
  memory: 512,
  disk: 1024,
};
const parse = (more: object) => parseNode(JSON.stringify({ ...whole, ...more }), "/etc/tutti/node.json");

describe("a node.json", () => {
  it("that says only what it must has defaults for the rest", () => {
    expect(parse({})).toMatchObject({
      index: 0,
      zone: "default",
      beat: 1000,
      crashLifetime: 3600,
      onStop: "leave",
    });
  });

  it("with several mistakes is refused with all of them, each with its path", () => {
    const wrong = { roles: ["core", "deaa"], ports: { ...whole.ports, nats: 70_000 }, memori: 1 };
    expect(() => parse(wrong)).toThrow(/node\.json[\s\S]*roles\[1\][\s\S]*ports\.nats[\s\S]*memori: is not a setting/);
  });

  it("without roles describes no node", () => {
    expect(() => parse({ roles: [] })).toThrow(/roles: /);
  });

  it("that is cut off is called what it is", () => {
    expect(() => parseNode('{"id": "all', "/etc/tutti/node.json")).toThrow(/node\.json[\s\S]*is not JSON/);
  });
});
