import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { toolsBin } from "../support/tools.ts";
import { host, type Lab, network, noNetworkHere, securityGroup, tcp, vpcLab } from "../support/vpc.ts";

const reason = noNetworkHere();
if (reason) console.warn(`the cloud's network is not tested: ${reason}`);

const web = securityGroup("sg-web", [tcp(80, { cidrs: ["0.0.0.0/0"] }), tcp(22, { cidrs: ["100.64.0.0/24"] })]);
const members = securityGroup("sg-members", [tcp(4222, { groups: ["sg-members"] })]);
const one = host(5, ["sg-web", "sg-members"]);
const two = host(6, ["sg-members"], { publicAddress: undefined, access: { enabled: true, token: false, hops: 2 } });
const far = host(7, ["sg-members"], { privateAddress: "10.20.16.7", subnet: network.subnets[1] });
const picture = { networks: [network], groups: [web, members], hosts: [one, two, far] };

/** Python has raw sockets, and set-up brings one; a ping is not on every machine. */
const echo = `
import socket
with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as s:
    s.settimeout(1.5)
    s.sendto(bytes([8, 0, 0xf7, 0xfd, 0, 1, 0, 1]), ("54.214.0.5", 0))
    try:
        print(s.recvfrom(100)[1][0])
    except TimeoutError:
        print("silence")
`;

describe.skipIf(reason)("the cloud's network", () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await vpcLab();
    await lab.apply(picture);
    await lab.plug(one, two, far);
    for (const each of [one, two, far]) await lab.call("serve", each.id, [22, 80, 81, 4222]);
    await lab.call("serve", "", [7000]);
  });
  afterAll(() => lab?.end());

  it("lets the operator in where a rule does, and nowhere else", async () => {
    expect(await lab.reach("", "54.214.0.5", 80)).toBe("100.64.0.1");
    expect(await lab.reach("", "54.214.0.5", 22)).toBe("100.64.0.1");
    expect(await lab.reach("", "54.214.0.5", 81)).toBe("times out");
    expect(await lab.reach("", "54.214.0.5", 4222)).toBe("times out");
  });

  it("is silent where a public address is nobody's", async () => {
    expect(await lab.reach("", "54.214.9.9", 80)).toBe("times out");
  });

  it("shows the operator no private address", async () => {
    expect(await lab.reach("", "10.20.0.5", 80)).toBe("no way");
    expect(await lab.reach("", "169.254.169.254", 80)).toBe("no way");
  });

  it("lets members of a group to each other, also in another zone, by their private addresses", async () => {
    expect(await lab.reach(two.id, "10.20.0.5", 4222)).toBe("10.20.0.6");
    expect(await lab.reach(far.id, "10.20.0.5", 4222)).toBe("10.20.16.7");
    expect(await lab.reach(one.id, "10.20.16.7", 4222)).toBe("10.20.0.5");
  });

  it("keeps a closed port closed between neighbours of one subnet", async () => {
    expect(await lab.reach(two.id, "10.20.0.5", 81)).toBe("times out");
    expect(await lab.reach(one.id, "10.20.0.6", 80)).toBe("times out");
  });

  it("takes a machine that comes by public addresses for a stranger", async () => {
    expect(await lab.reach(far.id, "54.214.0.5", 80)).toBe("54.214.0.7");
    expect(await lab.reach(far.id, "54.214.0.5", 4222)).toBe("times out");
  });

  it("lets a machine reach itself by its public address", async () => {
    expect(await lab.reach(one.id, "54.214.0.5", 80)).toBe("54.214.0.5");
  });

  it("shows the world a machine's public address, and lets none out that has no such address", async () => {
    expect(await lab.reach(one.id, "100.64.0.1", 7000)).toBe("54.214.0.5");
    expect(await lab.reach(two.id, "100.64.0.1", 7000)).toBe("times out");
  });

  it("gives the operator's service to all machines at one address", async () => {
    for (const { id } of [one, two]) {
      const { out } = await lab.sh(id, "curl -s -m 5 http://198.51.100.1/bucket/key");
      expect(out).toBe("service /bucket/key\n");
    }
  });

  it("follows a rule that comes or goes, while connections that were let in live on", async () => {
    const talk = lab.sh(
      "",
      `exec 3<>/dev/tcp/54.214.0.5/80 && read -r who <&3 && touch talking && while [ ! -e done ]; do sleep 0.05; done; echo still >&3 && read -r -t 3 line <&3 && echo "$line"`,
    );
    await lab.sh("", "while [ ! -e talking ]; do sleep 0.05; done");
    const shut = securityGroup("sg-web", [tcp(81, { cidrs: ["0.0.0.0/0"] })]);
    await lab.apply({ ...picture, groups: [shut, members] });
    expect(await lab.reach("", "54.214.0.5", 80)).toBe("times out");
    expect(await lab.reach("", "54.214.0.5", 81)).toBe("100.64.0.1");
    await lab.sh("", "touch done");
    expect((await talk).out).toBe("still\n");
    await lab.apply(picture);
    expect(await lab.reach("", "54.214.0.5", 80)).toBe("100.64.0.1");
  });

  it("follows a machine that joins or leaves a group", async () => {
    await lab.apply({ ...picture, hosts: [one, far, { ...two, groups: [] }] });
    expect(await lab.reach(two.id, "10.20.0.5", 4222)).toBe("times out");
    await lab.apply(picture);
    expect(await lab.reach(two.id, "10.20.0.5", 4222)).toBe("10.20.0.6");
  });

  it("lets nothing out that the groups' outward rules do not", async () => {
    const mute = securityGroup("sg-members", members.inward, []);
    await lab.apply({ ...picture, groups: [web, mute] });
    expect(await lab.reach(two.id, "10.20.0.5", 4222)).toBe("times out");
    await lab.apply(picture);
  });

  it("follows an elastic address to another machine, and the old one is dead at once", async () => {
    const moved = { ...one, publicAddress: "54.214.200.1" };
    await lab.apply({ ...picture, hosts: [moved, two, far] });
    expect(await lab.reach("", "54.214.200.1", 80)).toBe("100.64.0.1");
    expect(await lab.reach("", "54.214.0.5", 80)).toBe("times out");
    expect(await lab.reach(one.id, "100.64.0.1", 7000)).toBe("54.214.200.1");
    await lab.apply(picture);
  });

  it("carries nothing on a cut cable, and all again when it is healed", async () => {
    await lab.call("cut", two.id);
    expect(await lab.reach(two.id, "10.20.0.5", 4222)).toBe("times out");
    expect(await lab.reach(one.id, "10.20.0.6", 4222)).toBe("times out");
    expect((await lab.sh(two.id, "cat /sys/class/net/ens5/carrier; ip -br link show ens5")).out).toContain("UP");
    await lab.call("heal", two.id);
    expect(await lab.reach(two.id, "10.20.0.5", 4222)).toBe("10.20.0.6");
  });

  it("drops what a machine sends by another machine's address", async () => {
    await lab.sh(two.id, "ip addr add 10.20.0.99/32 dev ens5");
    const { out } = await lab.sh(two.id, "curl -s -m 1 --interface 10.20.0.99 http://169.254.169.254/latest/; echo $?");
    expect(out).toBe("28\n");
  });

  it("answers a ping where ICMP is let in, and only there", async () => {
    const pingable = securityGroup("sg-web", [
      { protocol: "icmp", first: 8, last: -1, cidrs: ["0.0.0.0/0"], groups: [] },
    ]);
    const ping = async () => (await lab.sh("", `${toolsBin}/moto-python -c '${echo}'`)).out;
    expect(await ping()).toBe("silence\n");
    await lab.apply({ ...picture, groups: [pingable, members] });
    expect(await ping()).toBe("54.214.0.5\n");
    await lab.apply(picture);
  });

  it("follows a private address that changed while the machine was off", async () => {
    const moved = { ...far, privateAddress: "10.20.16.77" };
    await lab.call("unplug", far.id);
    await lab.apply({ ...picture, hosts: [one, two, moved] });
    await lab.plug(moved);
    await lab.call("serve", far.id, [4222]);
    expect(await lab.reach(one.id, "10.20.16.77", 4222)).toBe("10.20.0.5");
    expect(await lab.reach("", "54.214.0.7", 4222)).toBe("times out");
  });
});
