/**
 * Runs what declares many resources. Pulumi's SDK takes a stack trace for each property of each resource, in case its
 * promise leaks: of a thousand machines that is a second of nothing but traces. An error in here has a message only.
 */
export function untraced<T>(declare: () => T): T {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    return declare();
  } finally {
    Error.stackTraceLimit = limit;
  }
}
