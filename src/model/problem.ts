/** One thing that keeps a process from doing its work, as /readyz and `hsdo status` name it. */
export interface Problem {
  /** The part: `source "web/aws"`, `store`, `haproxy "/run/haproxy.sock"`. */
  readonly part: string;
  readonly message: string;
}
