import type { z } from "zod";
import { type Bucket, bucket, type Store } from "../store/store.ts";
import * as records from "./records.ts";
import { openTable, type Row, type Table } from "./table.ts";

export interface Tables {
  users: Table<records.User>;
  organizations: Table<records.Organization>;
  spaces: Table<records.Space>;
  domains: Table<records.Domain>;
  apps: Table<records.App>;
  processes: Table<records.Process>;
  packages: Table<records.Package>;
  builds: Table<records.Build>;
  droplets: Table<records.Droplet>;
  routes: Table<records.Route>;
  deployments: Table<records.Deployment>;
  roles: Table<records.Role>;
  jobs: Table<records.Job>;
  events: Table<records.Event>;
  resources: Bucket<records.Resource>;
  license: Bucket<z.output<typeof records.license>>;
  keys: Bucket<z.output<typeof records.keys>>;
  close(): void;
}

/** Opens all tables and resolves when they hold what the store holds. */
export async function openTables(store: Store): Promise<Tables> {
  const opening: Promise<void>[] = [];
  const closing: (() => void)[] = [];
  const open = <T extends Row>(name: string, schema: z.ZodType<T>, unique?: (record: T) => string) => {
    const { table, current, stop } = openTable(store, { name, schema, unique });
    opening.push(current);
    closing.push(stop);
    return table;
  };
  const tables: Tables = {
    users: open("users", records.user, (one) => one.username.toLowerCase()),
    organizations: open("organizations", records.organization, (one) => one.name.toLowerCase()),
    spaces: open("spaces", records.space, (one) => `${one.organization}/${one.name.toLowerCase()}`),
    domains: open("domains", records.domain, (one) => one.name.toLowerCase()),
    apps: open("apps", records.app, (one) => `${one.space}/${one.name.toLowerCase()}`),
    processes: open("processes", records.processRecord),
    packages: open("packages", records.packageRecord),
    builds: open("builds", records.build),
    droplets: open("droplets", records.droplet),
    routes: open("routes", records.route, (one) => `${one.host}.${one.domain}${one.path}`.toLowerCase()),
    deployments: open("deployments", records.deployment),
    roles: open("roles", records.role, (one) => `${one.type}/${one.user}/${one.space ?? one.organization}`),
    jobs: open("jobs", records.job),
    events: open("events", records.event),
    resources: bucket(store, "resources", records.resource),
    license: bucket(store, "license", records.license),
    keys: bucket(store, "keys", records.keys),
    close: () => {
      for (const stop of closing) stop();
    },
  };
  await Promise.all(opening);
  return tables;
}
