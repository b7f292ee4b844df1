/**
 * Runs what declares many resources. Pulumi's SDK takes a stack trace for each property of each resource, in case its
 * promise leaks, and a whole one for each resource, to tell the engine where it stands: of three machines that is a
 * third of a second of nothing but traces, of a thousand several. An error in here has a message only.
 */
export function untraced<T>(declare: () => T): T {
  const { stackTraceLimit, prepareStackTrace } = Error;
  Error.stackTraceLimit = 0;
  // The SDK raises the limit for the whole ones; a trace is written out by this when somebody reads it.
  Error.prepareStackTrace = () => "";
  try {
    return declare();
  } finally {
    Object.assign(Error, { stackTraceLimit, prepareStackTrace });
  }
}
