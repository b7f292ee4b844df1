import { z } from "zod";
import { unprocessable } from "./errors.ts";

/** The stager's frameworks, offered where Cloud Foundry offers buildpacks. */
export const frameworks = ["nodejs", "python", "static", "procfile"] as const;

export const lifecycle = z.strictObject({
  type: z.literal("buildpack", { error: "must be buildpack: other lifecycles are not supported here" }).optional(),
  data: z
    .strictObject({
      buildpacks: z.array(z.string()).nullish(),
      stack: z.string().nullish(),
      credentials: z.null().optional(),
    })
    .optional(),
});
export type Lifecycle = z.output<typeof lifecycle>;

/** Buildpacks and stack that a request names; absent: leave them as they are, null or empty: detect. */
export function lifecycleOf(asked: Lifecycle | undefined, stack: string): { buildpacks?: string[]; stack?: string } {
  const { buildpacks, stack: wanted } = asked?.data ?? {};
  if (wanted && wanted !== stack) throw unprocessable(`Stack must be an existing stack: here it is '${stack}'`);
  return { ...(buildpacks !== undefined && { buildpacks: checked(buildpacks ?? []) }), ...(wanted && { stack }) };
}

function checked(names: readonly string[]): string[] {
  for (const name of names)
    if (!(frameworks as readonly string[]).includes(shortName(name)))
      throw unprocessable(
        `Buildpack "${name}" must be an existing admin buildpack or a valid git URI: here there are ${frameworks.join(", ")}`,
      );
  return names.map(shortName);
}

/** Cloud Foundry's names for the same things are understood. */
const shortName = (name: string) => name.replace(/_buildpack$/, "").replace(/^staticfile$/, "static");

const variable = z.string({ error: "must be a string" });

/** Variables of an app; null takes one away. */
export const environment = z
  .record(z.string().min(1, "can't be blank"), variable.nullable())
  .superRefine((variables, context) => {
    for (const [key, value] of Object.entries(variables)) {
      const wrong = wrongVariable(key, value);
      if (wrong) context.addIssue({ code: "custom", message: wrong });
    }
  });

function wrongVariable(key: string, value: string | null): string | undefined {
  if (/^VCAP_/i.test(key)) return "cannot start with VCAP_";
  if (key === "PORT") return "cannot set PORT";
  if (key.includes("=") || key.includes("\0")) return `key '${key.replaceAll("\0", "?")}' must not contain = or NUL`;
  return value?.includes("\0") ? `the value of '${key}' must not contain NUL` : undefined;
}
