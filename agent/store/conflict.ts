/** Another writer was faster: the key no longer has the revision that the write was based on. */
export class StoreConflict extends Error {
  override name = "StoreConflict";
  readonly key: string;
  constructor(key: string, cause?: unknown) {
    super(`${key} was changed by another writer`, { cause });
    this.key = key;
  }
}

/** The store cannot be reached or does not accept writes now; try again. */
export class StoreUnavailable extends Error {
  override name = "StoreUnavailable";
}
