/**
 * What /sys/hypervisor/uuid says. Programs know a machine of EC2 by its beginning; the rest is the instance's id.
 */
export function hypervisorUuid(id: string): string {
  const digits = `ec2${id.replace(/^i-/, "")}`
    .replace(/[^0-9a-f]/g, "0")
    .padEnd(32, "0")
    .slice(0, 32);
  return `${digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5")}\n`;
}

/** Of the host's /proc/meminfo, one that says what a machine with so many MiB has: programs size themselves by it. */
export function memoryFacts(host: string, memory: number): string {
  // The firmware and the kernel keep a part: a t3.micro of 1024 MiB says 965.
  const total = Math.round(memory * 1024 * 0.943);
  const facts: Record<string, number> = {
    MemTotal: total,
    MemFree: Math.round(total * 0.8),
    MemAvailable: Math.round(total * 0.9),
    SwapTotal: 0,
    SwapFree: 0,
  };
  return host.replace(/^(\w+):( +)\d+ kB$/gm, (line, key: string) => {
    const value = facts[key];
    return value === undefined ? line : `${key}:`.padEnd(16) + `${value} kB`.padStart(11);
  });
}
