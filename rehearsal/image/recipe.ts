import { createHash } from "node:crypto";
import { packagesFor } from "../../cloudinit/packages.ts";
import { type RoleName, roles } from "../../roles/role.ts";

/** All that an image is made of. Two equal recipes are the same image. */
export interface Recipe {
  /** Raised when what is done with the rest changes. */
  readonly version: number;
  readonly architecture: string;
  readonly suite: string;
  readonly packages: readonly string[];
  /** Never unpacked: nobody reads manuals in a machine of a rehearsal. */
  readonly without: readonly string[];
  /** Units that must not start by themselves. */
  readonly masked: readonly string[];
  /** Patterns of what is a machine's own, and must not be in its image. */
  readonly removed: readonly string[];
  /** Path → text. */
  readonly files: Readonly<Record<string, string>>;
  /** Of the disk, as the official image has it. */
  readonly gibibytes: number;
  readonly label: string;
}

/** What is on Debian's official image for EC2 and is of use here; the network comes by ifupdown. */
const machine = [
  "cloud-init",
  "dbus",
  "e2fsprogs",
  "ifupdown",
  "iproute2",
  "iptables",
  "iputils-ping",
  "isc-dhcp-client",
  "kmod",
  "libpam-systemd",
  "netbase",
  "openssh-server",
  "procps",
  "python3",
  "sudo",
  "systemd",
  "systemd-sysv",
  "udev",
];

/** The image's own settings of cloud-init, as the official image's: its user is called admin on EC2. */
const cloudSettings = `manage_etc_hosts: true
# C.UTF-8 is there without the package of locales; for any other cloud-init would report an error.
locale: C.UTF-8
system_info:
  default_user:
    name: admin
    gecos: Debian
    lock_passwd: true
    groups: [adm, sudo]
    sudo: ["ALL=(ALL) NOPASSWD:ALL"]
    shell: /bin/bash
`;

/** Where a machine that reaches the world would get more packages, wherever these came from. */
const aptSources = ["bookworm", "bookworm-updates", "bookworm-security"]
  .map((suite) => `deb http://deb.debian.org/debian${suite.endsWith("security") ? "-security" : ""} ${suite} main\n`)
  .join("");

/** The recipe of an image with everything that a node with any roles needs, as `cloudinit/baked.sh.hbs` makes it. */
export function recipe(): Recipe {
  const available = (Object.keys(roles) as RoleName[]).filter((role) => roles[role].available);
  return {
    version: 1,
    architecture: process.arch,
    suite: "bookworm",
    packages: [...new Set([...machine, ...packagesFor(available)])].sort(),
    without: ["/usr/share/man/*", "/usr/share/doc/*", "/usr/share/locale/*", "/usr/share/info/*"],
    masked: [
      // The router has a HAProxy of its own.
      "haproxy.service",
      "apt-daily.timer",
      "apt-daily-upgrade.timer",
      "dpkg-db-backup.timer",
      "e2scrub_all.timer",
      "e2scrub_reap.service",
      "fstrim.timer",
    ],
    removed: [
      "etc/ssh/ssh_host_*",
      "etc/hostname",
      "var/lib/dbus/machine-id",
      "var/lib/apt/lists/*_*",
      "var/cache/apt/*.bin",
      "var/cache/apt/archives/*.deb",
      "var/log/apt/*",
      "var/log/*.log",
      // How this computer reaches its mirror is not the machine's business.
      "etc/apt/apt.conf.d/99mmdebstrap",
    ],
    files: {
      "etc/machine-id": "",
      // Debian's tools copy that of this computer; the machine then waits a minute for name servers it can't reach.
      "etc/resolv.conf": "",
      "etc/hosts": "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n",
      "etc/apt/sources.list": aptSources,
      "etc/cloud/cloud.cfg.d/01_debian_cloud.cfg": cloudSettings,
    },
    gibibytes: 8,
    label: "cloudimg-rootfs",
  };
}

/** Sixteen hexadecimal digits that name an image. */
export function hashOf(one: Recipe): string {
  return createHash("sha256").update(JSON.stringify(one)).digest("hex").slice(0, 16);
}
