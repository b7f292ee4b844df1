/** What detection looks at: paths relative to the app's directory (two levels deep) and the text of small files. */
export interface Source {
  readonly names: readonly string[];
  /** Undefined when there is no such file. */
  read(name: string): string | undefined;
}

/** One program of a build: run without a shell, in the app's directory. */
export interface Step {
  command: string;
  args: readonly string[];
  env?: Readonly<Record<string, string>>;
  /** The build goes on when it fails: what it makes is only faster, not needed. */
  optional?: boolean;
  /** What to do about a failure, when the last lines of the output tell it. */
  hint?: (lines: string) => string | undefined;
}

/** What a framework makes of a source. Paths are relative to the droplet's root, where `app/` is. */
export interface Plan {
  steps: readonly Step[];
  /** The web process. Absent: the source does not tell; `missing` says what to put there. */
  start?: string;
  missing: string;
  /** Directories put in front of PATH at run time. */
  path: readonly string[];
  /** Directories put in front of search-path variables at run time, e.g. PYTHONPATH. */
  search: Readonly<Record<string, string>>;
  /** Variables of the instance that the user's own override. */
  defaults: Readonly<Record<string, string>>;
  /** Files of ours that travel in the droplet: path in it → where they are. */
  ship: Readonly<Record<string, URL>>;
  /** What is worth remembering of the build, written to droplet.yaml. */
  facts: Readonly<Record<string, string>>;
  /** Lines for the person who pushes. */
  notes: readonly string[];
}

export interface Framework {
  readonly name: string;
  /** What others call it. */
  readonly aliases: readonly string[];
  /** The reason why a source is of this kind, e.g. "there is a package.json"; undefined when it is not. */
  recognise(source: Source): string | undefined;
  /** Throws Fault when a file that matters cannot be read. */
  plan(source: Source): Plan;
}

/** A plan without anything: frameworks say only what differs. */
export const emptyPlan: Plan = {
  steps: [],
  missing: "put a Procfile with a line `web: COMMAND` there",
  path: [],
  search: {},
  defaults: {},
  ship: {},
  facts: {},
  notes: [],
};
