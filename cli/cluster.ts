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

/** Components are called by the names they had in 2012 where they announce themselves. */
export const announced: Readonly<Record<string, string>> = {
  core: "Core",
  controller: "CloudController",
  health: "HealthManager",
  router: "Router",
  stager: "Stager",
  dea: "DEA",
};

/** `router` for `Router`; what is not known keeps its name. */
export function componentName(type: string): string {
  return Object.entries(announced).find(([, each]) => each === type)?.[0] ?? type;
}

export async function nodes(api: Api): Promise<Node[]> {
  const { resources } = await api.get<{ resources: Node[] }>("/tutti/nodes");
  return resources.sort((a, b) => (a.id < b.id ? -1 : 1));
}

export async function components(api: Api): Promise<Component[]> {
  return (await api.get<{ resources: Component[] }>("/tutti/components")).resources;
}
