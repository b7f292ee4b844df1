/** Does something with each, at most `limit` at a time: an account's calls are rationed. Answers are in the order of the items. */
export async function abreast<T, R>(items: readonly T[], limit: number, act: (item: T) => Promise<R>): Promise<R[]> {
  const answers: R[] = [];
  const waiting = items.entries();
  const worker = async () => {
    for (const [at, item] of waiting) answers[at] = await act(item);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  return answers;
}
