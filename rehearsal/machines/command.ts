import type { MachinePlan } from "./machine.ts";

/** Where things of a machine are, on the computer it runs on. */
export interface Places {
  readonly disk: string;
  /** Where its disk is mounted. */
  readonly root: string;
  readonly console: string;
  readonly uuid: string;
  readonly meminfo: string;
}

export function placesOf({ folder }: MachinePlan): Places {
  return {
    disk: `${folder}/disk.ext4`,
    root: `${folder}/root`,
    console: `${folder}/console.log`,
    uuid: `${folder}/hypervisor-uuid`,
    meminfo: `${folder}/meminfo`,
  };
}

/** The number by which systemd is told to switch off: SIGRTMIN+4, where SIGRTMIN is glibc's. */
export const powerOff = 34 + 4;
/** How systemd-nspawn says that the machine asked to be booted again. */
export const rebootCode = 133;

/**
 * What first runs in a machine. nspawn mounts control groups of version 1 for reading only, but its containers have to
 * be limited, and it can't bind below /proc.
 */
const first = [
  '[ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ] || for each in /sys/fs/cgroup/*/; do',
  '  mount -o remount,bind,rw "$each" 2>/dev/null || :',
  "done",
  "mount --bind /run/machine/meminfo /proc/meminfo",
  // Without this word cloud-init looks for no metadata service in a container.
  "exec /lib/systemd/systemd ci.ds=Ec2",
].join("\n");

/** Joins the control groups whose files come before `--`, then becomes what comes after it. */
const join = 'while [ "$1" != -- ]; do echo $$ >"$1" || exit 125; shift; done; shift; exec "$@"';

/** /proc/sys/net can be written, as a machine's firewall needs it, and /sys is a tmpfs: a file can be bound there. */
export const nspawnEnv = { SYSTEMD_NSPAWN_API_VFS_WRITABLE: "network" };

/** The command line of a boot. `groups`: files of control groups, which nspawn has to be in before it makes its own. */
export function nspawnCommand(plan: MachinePlan, nspawn: string, groups: readonly string[]): string[] {
  return ["/bin/sh", "-c", join, "join", ...groups, "--", nspawn, ...nspawnFlags(plan)];
}

function nspawnFlags(plan: MachinePlan): string[] {
  const { root, uuid, meminfo } = placesOf(plan);
  return [
    "--quiet",
    `--directory=${root}`,
    `--machine=${plan.id}`,
    // There may be no systemd on this computer to register with, nor to ask for a unit.
    "--register=no",
    "--keep-unit",
    `--network-namespace-path=${plan.netns}`,
    // A console that is only written to; as a pipe, there would be no /dev/console in the machine.
    "--console=read-only",
    // The machine's files are its own business.
    "--resolv-conf=off",
    "--timezone=off",
    "--link-journal=no",
    // DHCP, addresses, nft.
    "--capability=CAP_NET_ADMIN",
    // cloud-init trusts no firmware's tables in a container, but this file: it makes it use tokens with the metadata service.
    `--bind-ro=${uuid}:/sys/hypervisor/uuid`,
    `--bind-ro=${meminfo}:/run/machine/meminfo`,
    // Container runtimes in the machine make keyrings.
    "--system-call-filter=@keyring bpf perf_event_open",
    // As what runs first is a shell, nspawn would send SIGTERM, which systemd takes for something else.
    "--kill-signal=SIGRTMIN+4",
    "--",
    "/bin/sh",
    "-c",
    first,
  ];
}
