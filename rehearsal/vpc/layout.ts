// The addresses of a rehearsal's world. None of them is anybody's: they are of networks set aside for documentation,
// for carriers' inner lines and for what is local to a link.

/** The person's side of the line to the cloud. */
export const operator = "100.64.0.1";
/** The cloud's side: here public addresses become private ones. */
export const gateway = "100.64.0.2";
/** Between the gateway and the router of the private networks. */
export const inner = { gateway: "100.64.1.1", router: "100.64.1.2" } as const;
/** Where the person's programs may ask for the cluster's names. */
export const resolver = inner.router;

/** Where machines find what the operator's side serves to them: S3. */
export const service = "198.51.100.1";

/** Public addresses: those of the rehearsal's API are all in it. */
export const publicPool = "54.214.0.0/16";

export const metadata = "169.254.169.254";
export const machineResolver = "169.254.169.253";

/** Names of the two network namespaces. */
export const spaces = { gateway: "igw", router: "vpc" } as const;

/** What every machine's only interface is called, as on instances of the Nitro system. */
export const nic = "ens5";

/** Jumbo frames, as between instances of one network. */
export const mtu = 9001;

/** Where `ip netns` has them. */
export const netnsPath = (name: string): string => `/run/netns/${name}`;

/** A machine's port on the router's bridge. Names of interfaces have at most 15 characters. */
export const portOf = (id: string): string => `v-${id.slice(-13)}`;
