import type { Api } from "./api.ts";

// What Cloud Foundry has no word for: nodes, roles, components. Below /tutti of the API.

export interface Node {
  id: string;
  address: string;
  version: string;
  state: "UP" | "LOST";
  roles: string[];
  components: { name: string; state: string; since: number; reason?: string | undefined }[];
  /** Unix milliseconds of the last beat. */
  seen: number;
}

export interface Component {
  type: string;
  index: number;
  uuid: string;
  host: string;
  /** `0d:1h:2m:3s`. */
  uptime: string;
  healthy: boolean;
}

/** The seed's and ours: what each role is for, and the components a node with it runs. */
export const roles: Readonly<Record<string, { what: string; runs: readonly string[]; types: readonly string[] }>> = {
  core: { what: "the bus and the store that everything else meets on", runs: ["core"], types: ["Core"] },
  controller: { what: "the API; decides what should run and where", runs: ["controller"], types: ["CloudController"] },
  health: { what: "compares what should run with what does, and asks for what is missing", runs: ["health"], types: ["HealthManager"] },
  router: { what: "the door for all requests to apps and to the API", runs: ["router"], types: ["Router"] },
  stager: { what: "builds droplets from the files that are pushed", runs: ["stager"], types: ["Stager"] },
  dea: { what: "runs the instances of apps", runs: ["dea"], types: ["DEA"] },
};

/** Data services of the cluster: they come with their own components. */
export const services: readonly string[] = ["filesystem", "postgresql", "mysql", "redis", "rabbit", "memcached"];

export async function nodes(api: Api): Promise<Node[]> {
  const { resources } = await api.get<{ resources: Node[] }>("/tutti/nodes");
  return resources.sort((a, b) => (a.id < b.id ? -1 : 1));
}

export async function components(api: Api): Promise<Component[]> {
  return (await api.get<{ resources: Component[] }>("/tutti/components")).resources;
}
