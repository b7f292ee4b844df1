import type { AwsSpec } from "../roles/aws.ts";

/** How an image that the spec calls by name is looked up: the newest of an owner. */
export interface ImageSearch {
  readonly owner: string;
  /** A pattern as DescribeImages takes it. */
  readonly name: string;
}

/** The project's own account, https://wiki.debian.org/Cloud/AmazonEC2Image. */
const debian = "136693071363";

/** What to look for; undefined when the spec names an image by its id. */
export function imageSearch({ image, architecture }: Pick<AwsSpec, "image" | "architecture">): ImageSearch | undefined {
  if (image.startsWith("ami-")) return undefined;
  return { owner: debian, name: `${image}-${architecture === "arm64" ? "arm64" : "amd64"}-*` };
}
