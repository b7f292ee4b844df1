// What we read of Cloud Foundry API v3 answers. Everything else in them is ignored.

export interface App {
  guid: string;
  name: string;
  state: "STARTED" | "STOPPED";
  created_at: string;
  updated_at: string;
  lifecycle?: { data?: { buildpacks?: string[]; stack?: string } };
}

export interface Process {
  guid: string;
  type: string;
  /** Ours: renewed whenever running instances are replaced. */
  version?: string;
  command: string | null;
  instances: number;
  memory_in_mb: number;
  disk_in_mb: number;
  health_check?: { type: string; data?: { timeout?: number | null; endpoint?: string | null } };
  relationships?: { app?: { data?: { guid: string } } };
}

export interface Instance {
  type: string;
  index: number;
  state: "RUNNING" | "CRASHED" | "STARTING" | "STOPPING" | "DOWN";
  instance_guid?: string | null;
  host?: string | null;
  uptime?: number | null;
  usage?: { time?: string; cpu?: number; mem?: number; disk?: number };
  mem_quota?: number | null;
  disk_quota?: number | null;
  details?: string | null;
}

export interface Destination {
  guid: string;
  app: { guid: string; process?: { type: string } };
}

export interface Route {
  guid: string;
  url: string;
  host: string;
  path: string;
  destinations?: Destination[];
  relationships?: { domain?: { data?: { guid: string } }; space?: { data?: { guid: string } } };
}

export interface Domain {
  guid: string;
  name: string;
  internal?: boolean;
}

export interface Package {
  guid: string;
  state: "AWAITING_UPLOAD" | "PROCESSING_UPLOAD" | "READY" | "FAILED" | "COPYING" | "EXPIRED";
  data?: { error?: string | null };
}

export interface Build {
  guid: string;
  state: "STAGING" | "STAGED" | "FAILED";
  error: string | null;
  droplet?: { guid: string } | null;
}

export interface Droplet {
  guid: string;
  state: string;
  stack?: string;
  image?: string | null;
  checksum?: { type?: string; value?: string } | null;
  size?: number;
  process_types?: Record<string, string> | null;
  buildpacks?: { name: string; detect_output?: string | null; buildpack_name?: string | null }[] | null;
}

export interface Deployment {
  guid: string;
  status: { value: string; reason: string };
  new_processes?: { guid: string; type: string }[];
}

export interface AuditEvent {
  guid: string;
  created_at: string;
  type: string;
  actor: { name?: string; type?: string };
  target: { guid: string; type: string; name?: string };
  data?: Record<string, unknown>;
}
