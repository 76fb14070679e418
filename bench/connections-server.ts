import type { CpuShares } from './cpu-shares.ts';
import type { MemoryUse } from './memory.ts';

/** A server with sockets, in a process of its own: the gateway, or a bare `ws`. */
export interface ConnectionsServer {
  /** Listens; answers with the port and the path of a handshake. */
  start(): Promise<{ readonly port: number; readonly path: string }>;
  /** How many sockets are open. */
  open(): number;
  memory(): Promise<MemoryUse>;
}

/** The gateway. */
export interface GatewayServer extends ConnectionsServer {
  /** What a process needs to post. */
  posting(): {
    readonly socketUrl: string;
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly connections: readonly string[];
  };
  beginProfile(): Promise<void>;
  endProfile(): Promise<CpuShares>;
}

/** A bare `ws`. */
export interface BareServer extends ConnectionsServer {
  /** Sends the text on every socket; settles when the system has taken all of it. */
  broadcast(text: string): Promise<void>;
}
