/** A service of the local runtime that answers on 127.0.0.1. */
export interface RunningService {
  /** Such as `http://127.0.0.1:41234`, for an `AWS_ENDPOINT_URL_*` variable. */
  readonly endpoint: string;
  readonly port: number;
  /** Ends open connections and everything that was started; resolves when nothing is left. */
  close(): Promise<void>;
}

/** The address that every service listens on; a name would make S3 clients use virtual-hosted URLs. */
export const HOST = '127.0.0.1';
