/** The agent as nodes fetch it. */
export interface Bundle {
  readonly version: string;
  /** Hex. */
  readonly sha256: string;
  /** Path of the file here. */
  readonly file: string;
  /** `https://…`: asked when the bucket does not answer. */
  readonly mirrors?: readonly string[];
}
