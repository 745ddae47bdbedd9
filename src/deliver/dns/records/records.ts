/** The types of records that hsdo itself makes. */
export type RecordType = 'A' | 'AAAA' | 'CNAME' | 'NS' | 'SOA' | 'SRV' | 'TXT';

/** Data of one resource record, not yet spelled in bytes. Names are absolute, without the dot at the end. */
export type RecordData =
  | { readonly type: 'A' | 'AAAA'; readonly address: string }
  | { readonly type: 'CNAME' | 'NS'; readonly target: string }
  | {
      readonly type: 'SOA';
      readonly primary: string;
      readonly mailbox: string;
      readonly serial: number;
      readonly refreshSeconds: number;
      readonly retrySeconds: number;
      readonly expireSeconds: number;
      /** TTL of negative answers (RFC 2308 section 4). */
      readonly negativeTtlSeconds: number;
    }
  | {
      readonly type: 'SRV';
      readonly priority: number;
      readonly weight: number;
      readonly port: number;
      readonly target: string;
    }
  | { readonly type: 'TXT'; readonly text: string };

/**
 * In which order the records of a set are given out: `fixed` as they stand; `turns`: each answer begins one further;
 * `weighted`: each answer begins with the one whose turn it is by smooth weighted round-robin.
 */
export type RecordOrder = 'fixed' | 'turns' | 'weighted';

/** All records of one type at one name (an RRset, RFC 2181 section 5). */
export interface RecordSet {
  readonly type: RecordType;
  /** 0 to 2^31 - 1. */
  readonly ttlSeconds: number;
  readonly order: RecordOrder;
  /** Records in one answer; all when there are not more. At least 1. */
  readonly answers: number;
  /** Never empty: a set without records is no set. */
  readonly records: readonly {
    readonly data: RecordData /** 0 to 65535, for `weighted`; 0 never comes first. */;
    readonly weight?: number;
  }[];
}

/** A name that exists, with what is known at it. Without sets it only says that there are names below it (RFC 8020). */
export interface NamedSets {
  /** Absolute, any case, without the dot at the end; a first label `*` answers for what has no name of its own (RFC 4592). */
  readonly name: string;
  readonly sets: readonly RecordSet[];
  /** Where its authority begins: this name or one above it, with a SOA of its own in some chapter. */
  readonly apex: string;
  /**
   * What happens to types that the name does not have: NODATA; `forward`: the question is forwarded (har's way), but never one for
   * addresses, which are ours also where there are none; `foreign`: every question is, the name stands for what others know.
   */
  readonly otherTypes: 'nodata' | 'forward' | 'foreign';
}

/**
 * Names that are replaced together. Every service is one, the zones' own names are another. No name stands in two of them.
 */
export interface Chapter {
  readonly key: string;
  readonly names: readonly NamedSets[];
}
