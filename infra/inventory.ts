import { DescribeRegionsCommand, GetConsoleOutputCommand } from "@aws-sdk/client-ec2";
import { abreast } from "./inventoryAbreast.ts";
import type { Account } from "./inventoryAccount.ts";
import { findBelongings, findMachines } from "./inventoryEc2.ts";
import { asked, codeOf } from "./inventoryFault.ts";
import { type Found, foundKinds, isAlive, stackOf } from "./inventoryFound.ts";
import { findGlobals } from "./inventoryGlobal.ts";

// What clusters there are, from AWS's tags alone: no state, no controller, no memory of ours is asked.

export interface Inventory {
  /** In the order in which they can be removed. */
  readonly found: readonly Found[];
  /** `cluster/stack` of every stack that has a machine in any region. */
  readonly alive: ReadonlySet<string>;
  /** Regions that could not be looked at: there may be machines in them. */
  readonly unseen: readonly string[];
}

export interface Look {
  /** Regions to look in; default: the account's own. */
  readonly regions?: readonly string[] | undefined;
  readonly cluster?: string | undefined;
}

/** Everything of clusters. Throws AwsFault when a region that was named cannot be looked at. */
export async function inventory(
  account: Account,
  { regions = [account.region], cluster }: Look = {},
): Promise<Inventory> {
  const [globals, ...local] = await Promise.all([
    findGlobals(account, cluster),
    ...regions.map((region) => everything(account.at(region), cluster)),
  ]);
  // A bucket counts where it is; roles and profiles are everywhere.
  const here = globals.filter(({ region }) => region === "" || regions.includes(region));
  const found = [...local.flat(), ...here].sort(byKind);
  const elsewhere = await machinesElsewhere(account, found, regions);
  const machines = [...found, ...elsewhere.found].filter(isAlive);
  return { found, alive: new Set(machines.map(stackOf)), unseen: elsewhere.unseen };
}

async function everything(account: Account, cluster?: string): Promise<Found[]> {
  const lists = await Promise.all([findMachines(account, cluster), findBelongings(account, cluster)]);
  return lists.flat();
}

function byKind(one: Found, other: Found): number {
  const kinds = foundKinds.indexOf(one.kind) - foundKinds.indexOf(other.kind);
  const name = (found: Found) => `${stackOf(found)} ${found.node} ${found.id}`;
  return kinds || name(one).localeCompare(name(other), "en", { numeric: true });
}

/** Roles and profiles belong to no region: whether they are in use is only known when all regions are. */
async function machinesElsewhere(account: Account, found: readonly Found[], seen: readonly string[]) {
  if (!found.some(({ region }) => region === "")) return { found: [], unseen: [] };
  const others = (await regionsOf(account)).filter((region) => !seen.includes(region));
  const unseen: string[] = [];
  const machines = await abreast(others, 6, (region) =>
    findMachines(account.at(region)).catch(() => {
      // An organization may forbid whole regions; that is not worth more than a remark.
      unseen.push(region);
      return [];
    }),
  );
  return { found: machines.flat(), unseen: unseen.sort() };
}

/** Regions that the account has switched on. Throws AwsFault. */
export async function regionsOf({ ec2 }: Account): Promise<string[]> {
  const { Regions = [] } = await asked("listing regions", ec2.send(new DescribeRegionsCommand({})));
  return Regions.flatMap(({ RegionName }) => RegionName ?? []).sort();
}

/** What a machine has printed, the last 64 KiB of it. "" when it has printed nothing yet. Throws AwsFault. */
export async function consoleOf({ ec2 }: Account, instance: string): Promise<string> {
  const ask = (Latest: boolean) => ec2.send(new GetConsoleOutputCommand({ InstanceId: instance, Latest }));
  const older = (error: unknown) => {
    // Machines of older kinds have only the text that EC2 took when they booted.
    if (/Unsupported/.test(codeOf(error))) return ask(false);
    throw error;
  };
  const { Output = "" } = await asked(`reading the console of ${instance}`, ask(true).catch(older));
  return Buffer.from(Output, "base64").toString("utf8");
}
