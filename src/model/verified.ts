/** What was found when a plug-in was tried without any effect outside. */
export interface Verified {
  /** One sentence for people, without secrets. */
  readonly says: string;
  /** What a person should do; absent where all is in order. */
  readonly remedy?: string;
}
