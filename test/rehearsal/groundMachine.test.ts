import { randomBytes } from "node:crypto";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { silent } from "../../agent/run/log.ts";
import { ensureImage } from "../../rehearsal/image/image.ts";
import { type GroundLab, groundLab } from "../support/ground.ts";
import { noMachines } from "../support/machines.ts";
import { until } from "../support/until.ts";

// Bytes that no text survives, and a script among them: what the machine gets is compared with what was handed in.
const marker = `marker ${randomBytes(4).toString("hex")}`;
const userData = gzipSync(`#cloud-config
ssh_pwauth: false
write_files:
  - path: /etc/greeting
    content: ${randomBytes(2000).toString("base64")}
runcmd:
  - [sh, -c, "echo ${marker} >/dev/console"]
`);

describe.skipIf(noMachines)("the ground of a rehearsal, with a machine that boots", { timeout: 240_000 }, () => {
  let lab: GroundLab;
  let id = "";
  let address = "";
  const ssh = (script: string, to = address) =>
    lab.sh(
      "",
      `ssh -i key -o BatchMode=yes -o ConnectTimeout=2 -o StrictHostKeyChecking=yes -o UserKnownHostsFile=known admin@${to} '${script}'`,
    );
  /** A call that gets no answer is repeated by the kernel after 1, 3, 7 … seconds: so it is made anew each time. */
  const listensAt = async (to: string) => {
    const call = `timeout 1 bash --norc -c "exec 3<>/dev/tcp/${to}/22"`;
    await until(async () => (await lab.sh("", call)).code === 0, { what: `sshd listens at ${to}`, timeout: 180_000 });
    return Date.now();
  };
  const imds = (path: string) =>
    `T=$(curl -s -m 5 -X PUT -H "X-aws-ec2-metadata-token-ttl-seconds: 60" http://169.254.169.254/latest/api/token); curl -s -m 5 -H "X-aws-ec2-metadata-token: $T" http://169.254.169.254/latest/${path}`;

  // The first run of all builds the image.
  beforeAll(async () => {
    const { path } = await ensureImage({ log: silent });
    lab = await groundLab({ image: path });
    await lab.sh("", "ssh-keygen -q -t ed25519 -N '' -f key");
    const material = await lab.sh("", "base64 -w0 key.pub");
    await lab.call("importKey", "ground", material.out);
    await lab.call("iam", "CreateRole", { RoleName: "trio-node", AssumeRolePolicyDocument: "{}" });
    await lab.call("iam", "CreateInstanceProfile", { InstanceProfileName: "trio" });
    const link = { InstanceProfileName: "trio", RoleName: "trio-node" };
    await lab.call("iam", "AddRoleToInstanceProfile", link);
  }, 900_000);
  afterAll(() => lab?.end());

  it("is reached by ssh with the key pair, by the host keys of its console, after cloud-init ran the user data", async () => {
    const began = Date.now();
    [id = ""] = await lab.launch(1, {
      KeyName: "ground",
      UserData: userData.toString("base64"),
      IamInstanceProfile: { Name: "trio" },
      MetadataOptions: { HttpTokens: "required", HttpPutResponseHopLimit: 1, InstanceMetadataTags: "enabled" },
      TagSpecifications: [{ ResourceType: "instance", Tags: [{ Key: "tutti:node", Value: "solo" }] }],
    });
    address = (await lab.instance(id)).PublicIpAddress ?? "";
    const listens = (await listensAt(address)) - began;
    const finished = (await lab.until(id, "finished")) - began;
    const { Output = "" } = await lab.ec2<{ Output?: string }>("GetConsoleOutput", { InstanceId: id });
    const console = Buffer.from(Output, "base64").toString();
    expect(console).toContain(marker);
    const keys = /-----BEGIN SSH HOST KEY KEYS-----([\s\S]*?)-----END/.exec(console)?.[1] ?? "";
    const lines = keys.split("\n").flatMap((line) => /(?:ssh|ecdsa)-\S+ \S+/.exec(line)?.[0] ?? []);
    await lab.sh("", `printf '%s\\n' ${lines.map((line) => `'${address} ${line}'`).join(" ")} >known`);
    expect(await ssh("id -un")).toEqual({ code: 0, out: "admin\n" });
    process.stdout.write(`one machine: port 22 after ${listens} ms, cloud-init done after ${finished} ms\n`);
  });

  it("has the names, addresses and rights that EC2 gives", async () => {
    const { PrivateIpAddress = "", PrivateDnsName = "" } = await lab.instance(id);
    expect((await ssh("hostname -f")).out.trim()).toBe(PrivateDnsName);
    expect((await ssh("ip -4 -o addr show ens5")).out).toContain(`${PrivateIpAddress}/20`);
    expect((await ssh("getent hosts api.trio.example")).out).toMatch(/^54\.214\.1\.1 /);
    expect((await ssh(imds("meta-data/tags/instance/tutti:node"))).out).toBe("solo");
    expect((await ssh(imds("meta-data/iam/security-credentials/trio-node"))).out).toContain('"Code": "Success"');
    expect((await ssh(`${imds("user-data")} | base64 -w0`)).out).toBe(userData.toString("base64"));
    expect((await ssh("curl -s -o /dev/null -w %{http_code} http://169.254.169.254/latest/meta-data/")).out).toBe(
      "401",
    );
    expect((await ssh("cloud-init status --long; systemctl --failed --no-legend")).out).toContain("DataSourceEc2Local");
    expect((await ssh("cloud-init status")).out).toBe("status: done\n");
  });

  it("reaches the bucket of the rehearsal, at the address in its boot.env", async () => {
    expect(
      (await ssh(". /etc/tutti/boot.env; curl -s -o /dev/null -w %{http_code} $TUTTI_S3/no-such-bucket/key")).out,
    ).toBe("404");
  });

  it("does not show its rights to a container one hop further", async () => {
    const nested = [
      "ip netns add c && ip link add c0 type veth peer name eth0 netns c && ip addr add 10.88.0.1/24 dev c0 && ip link set c0 up",
      "ip -n c addr add 10.88.0.2/24 dev eth0 && ip -n c link set eth0 up && ip -n c route add default via 10.88.0.1",
      'sysctl -qw net.ipv4.ip_forward=1 && nft add table ip nat && nft add chain ip nat post "{ type nat hook postrouting priority 100 ; }"',
      "nft add rule ip nat post ip saddr 10.88.0.0/24 masquerade",
    ].join(" && ");
    expect(await lab.call("run", id, ["sh", "-c", nested])).toMatchObject({ code: 0 });
    const from = (path: string) => ["sh", "-c", `ip netns exec c curl -s -m 3 -o /dev/null -w '%{http_code}' ${path}`];
    const put = `-X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' http://169.254.169.254/latest/api/token`;
    expect(await lab.call("run", id, from(put))).toMatchObject({ out: "000" });
    // It does get out: only the answer of the metadata service does not live long enough.
    expect(await lab.call("run", id, from("http://198.51.100.1/no-such-bucket/key"))).toMatchObject({ out: "404" });
  });

  it("keeps its disk over a stop and a start, and comes back by its new addresses", async () => {
    await ssh("echo kept >kept; sync");
    await lab.ec2("StopInstances", { InstanceIds: [id] });
    await lab.until(id, "stopped");
    const move = { Action: "ModifyInstanceAttribute", InstanceId: id, Attribute: "privateIpAddress" };
    await lab.call("form", { ...move, Value: "10.20.0.99" });
    await lab.ec2("StartInstances", { InstanceIds: [id] });
    await lab.until(id, "finished", 2);
    const former = address;
    address = (await lab.instance(id)).PublicIpAddress ?? "";
    await lab.sh("", `sed -i 's/${former}/${address}/' known`);
    expect((await ssh("cat kept; ip -4 -o addr show ens5")).out).toMatch(/^kept\n.*10\.20\.0\.99\/20/);
  });

  it("comes back after a reboot, asked for by the API and from inside", async () => {
    const boot = async () => (await ssh("cat /proc/sys/kernel/random/boot_id")).out;
    const first = await boot();
    await lab.ec2("RebootInstances", { InstanceIds: [id] });
    await lab.until(id, "finished", 3);
    const second = await boot();
    expect(second).not.toBe(first);
    await ssh("sudo systemctl reboot");
    await lab.until(id, "finished", 4);
    expect(await boot()).not.toBe(second);
  });

  it("stops its instance when it is switched off from inside", async () => {
    await ssh("sudo systemctl poweroff");
    await until(async () => (await lab.instance(id)).State?.Name === "stopped", { what: "the API knows it" });
  });

  it("leaves nothing when its instance is terminated", async () => {
    await lab.ec2("TerminateInstances", { InstanceIds: [id] });
    await lab.until(id, "gone");
    expect(await lab.call("machines")).toEqual([]);
    const { out } = await lab.sh(
      "",
      `ip netns; ls machines; losetup --list --noheadings | grep ${id}; grep -c machines /proc/mounts`,
    );
    expect(out.split("\n").filter((line) => line !== "")).toEqual(["vpc", expect.stringMatching(/^igw/), "0"]);
  });

  it("boots four machines at once", async () => {
    const began = Date.now();
    const ids = await lab.launch(4, { KeyName: "ground", UserData: userData.toString("base64") });
    const addresses = await Promise.all(ids.map(async (one) => (await lab.instance(one)).PublicIpAddress ?? ""));
    const [listens, finished] = await Promise.all([
      Promise.all(addresses.map(listensAt)),
      Promise.all(ids.map((one) => lab.until(one, "finished"))),
    ]);
    const since = (times: number[]) => times.map((at) => at - began);
    const times = { listens: since(listens), finished: since(finished) };
    process.stdout.write(`four machines at once: ${JSON.stringify(times)}\n`);
    await lab.ec2("TerminateInstances", { InstanceIds: ids });
    for (const one of ids) await lab.until(one, "gone");
  }, 300_000);
});
