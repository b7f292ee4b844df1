/**
 * Whether an answer may go there: to an inbox, to whoever is not let in yet, or to where a controller waits for a build.
 * A server lets whoever was asked say anything on the subject that the question names, the store's own included:
 * without this, anybody who may ask a question could have the answer written over what is kept.
 */
export function isForAnswers(subject: string): boolean {
  return /^(_INBOX[._]|_R_\.|cc\.staging\.)/.test(subject);
}
