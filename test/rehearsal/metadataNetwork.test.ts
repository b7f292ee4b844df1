import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { programPath } from "../../rehearsal/room/programs.ts";
import { host, type Lab, network, noNetworkHere, securityGroup, vpcLab } from "../support/vpc.ts";

const reason = noNetworkHere();

const strict = host(5, []);
const loose = host(6, [], { access: { enabled: true, token: false, hops: 2 } });
const picture = { networks: [network], groups: [securityGroup("sg-a", [])], hosts: [strict, loose] };

describe.skipIf(reason)("the services of the cloud's network", () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await vpcLab();
    await lab.apply(picture);
    await lab.plug(strict, loose);
    await lab.call("name", { "*.trio.example": "54.214.0.1" });
    for (const { id } of [strict, loose]) await nest(id);
  });
  afterAll(() => lab?.end());

  /** A container's network inside a machine's: one hop further, behind the machine's address. */
  const nest = (id: string) =>
    lab.sh(
      id,
      `ip netns add in-${id} && ip link add c0 type veth peer name eth0 netns in-${id} && ip addr add 10.88.0.1/24 dev c0 && ip link set c0 up &&
       printf 'link set lo up\\naddr add 10.88.0.2/24 dev eth0\\nlink set eth0 up\\nroute add default via 10.88.0.1\\n' | ip -n in-${id} -batch - &&
       echo 1 >/proc/sys/net/ipv4/ip_forward && printf 'table ip n {\\n chain p {\\n type nat hook postrouting priority 100\\n ip saddr 10.88.0.0/24 masquerade\\n }\\n}\\n' | ${programPath("nft")} -f -`,
    );
  const status = async (space: string, args: string) =>
    (await lab.sh(space, `curl -s -m 2 -o /dev/null -w '%{http_code}' ${args}`)).out;
  const url = "http://169.254.169.254/latest/meta-data/instance-id";
  const put = `-X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' http://169.254.169.254/latest/api/token`;

  it("tell each machine who it is, with a token where one is required", async () => {
    expect(await status(strict.id, url)).toBe("401");
    const { out } = await lab.sh(strict.id, `T=$(curl -s ${put}); curl -s -H "X-aws-ec2-metadata-token: $T" ${url}`);
    expect(out).toBe(strict.id);
    expect((await lab.sh(loose.id, `curl -s ${url}`)).out).toBe(loose.id);
  });

  it("do not reach a container with a hop limit of one, and do with two", async () => {
    expect(await status(`in-${strict.id}`, put)).toBe("000");
    expect(await status(`in-${loose.id}`, put)).toBe("200");
    expect((await lab.sh(`in-${loose.id}`, `curl -s ${url}`)).out).toBe(loose.id);
  });

  it("follow a hop limit that is changed while the machine runs", async () => {
    const near = { ...loose, access: { ...loose.access, hops: 1 } };
    await lab.apply({ ...picture, hosts: [strict, near] });
    expect(await status(`in-${loose.id}`, put)).toBe("000");
    await lab.apply(picture);
    expect(await status(`in-${loose.id}`, put)).toBe("200");
  });

  it("say nothing to a machine that nobody knows any more", async () => {
    await lab.apply({ ...picture, hosts: [strict] });
    expect(await status(loose.id, url)).toBe("000");
    await lab.apply(picture);
  });

  it("resolve names for machines at the network's resolver, and for the operator", async () => {
    const ask = (space: string, server: string, name: string) => lab.sh(space, dig(server, name));
    for (const server of ["10.20.0.2", "169.254.169.253"])
      expect((await ask(strict.id, server, "api.trio.example")).out).toBe("54.214.0.1\n");
    expect((await ask("", "100.64.1.2", "api.trio.example")).out).toBe("54.214.0.1\n");
    expect((await ask(strict.id, "10.20.0.2", "instance-data")).out).toBe("ENOTFOUND\n");
  });
});

const dig = (server: string, name: string) =>
  `${process.execPath} -e 'const { Resolver } = require("node:dns/promises"); const r = new Resolver({ timeout: 1000, tries: 1 }); r.setServers(["${server}"]);
   r.resolve4("${name}").then(([a]) => console.log(a), (e) => console.log(e.code))'`;
