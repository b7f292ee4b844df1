import type { DeaStart } from "../bus/messages/instance.ts";
import type { Instance } from "./instance.ts";

export interface Surroundings {
  /** Absolute path of the instance's directory. */
  home: string;
  address: string;
  path: string;
  user: string;
}

const pair = (text: string): [string, string] => {
  const at = text.indexOf("=");
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
};

/** Names that say who and where the instance is: a user's variable of that name is ignored. */
const ours = /^(PORT|VCAP_.*|CF_INSTANCE_.*|VMC_.*)$/;

/** The whole environment of an instance. The user's variables win, except over what is ours to say. */
export function environmentOf(start: DeaStart, one: Instance, where: Surroundings): Record<string, string> {
  const services = servicesOf(start);
  const user = start.env.map(pair).filter(([key]) => key !== "" && !ours.test(key));
  const url = databaseUrl(start);
  return {
    HOME: where.home,
    TMPDIR: `${where.home}/tmp`,
    PATH: where.path,
    LANG: "C.UTF-8",
    USER: where.user,
    MEMORY_LIMIT: `${start.limits.mem}m`,
    ...(url ? { DATABASE_URL: url } : {}),
    ...start.runtime_info?.environment,
    ...Object.fromEntries(user),
    VCAP_APP_HOST: "0.0.0.0",
    VCAP_INSTANCE_DIR: where.home,
    VCAP_APPLICATION: JSON.stringify(application(start, one)),
    VCAP_SERVICES: JSON.stringify(services),
    CF_INSTANCE_INDEX: String(one.index),
    CF_INSTANCE_GUID: one.id,
    CF_INSTANCE_IP: where.address,
    CF_INSTANCE_INTERNAL_IP: where.address,
    ...(one.port === undefined ? {} : portVariables(one.port, where.address)),
  };
}

function portVariables(port: number, address: string) {
  return {
    PORT: String(port),
    VCAP_APP_PORT: String(port),
    CF_INSTANCE_PORT: String(port),
    CF_INSTANCE_ADDR: `${address}:${port}`,
    CF_INSTANCE_PORTS: JSON.stringify([{ external: port, internal: port }]),
  };
}

function application(start: DeaStart, one: Instance) {
  const { mem, disk, fds } = start.limits;
  return {
    name: start.name,
    uris: one.uris,
    users: start.users,
    version: start.version,
    runtime: start.runtime,
    // MiB, as Cloud Foundry has it since v2 and as the libraries that read it expect; the DEA of v1 gave bytes.
    limits: { mem, disk, fds },
    ...start.vcap_application,
    instance_id: one.id,
    instance_index: one.index,
    host: "0.0.0.0",
    port: one.port,
    start: new Date(one.born).toISOString(),
    started_at_timestamp: Math.floor(one.born / 1000),
    state_timestamp: Math.floor(one.born / 1000),
  };
}

function servicesOf(start: DeaStart): Record<string, unknown[]> {
  const groups = Map.groupBy(start.services, (service) => service.label);
  const full = ([, value]: [string, unknown]) =>
    value !== undefined && value !== "" && !(Array.isArray(value) && !value.length);
  return Object.fromEntries(
    [...groups].map(([label, list]) => [
      label,
      list.map(({ vendor: _vendor, version: _version, type: _type, ...shown }) =>
        Object.fromEntries(Object.entries({ ...shown, label }).filter(full)),
      ),
    ]),
  );
}

/** The address of the only database, for frameworks that read nothing else. */
function databaseUrl(start: DeaStart): string | undefined {
  const found = start.services.flatMap(({ credentials }) => [credentials["uri"] ?? credentials["url"]]);
  const urls = found.filter((one): one is string => typeof one === "string" && /^(postgres(ql)?|mysql2?):/.test(one));
  return urls.length === 1 ? urls[0] : undefined;
}
