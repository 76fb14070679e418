import { randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { ConnectionGoneError, RefusedError } from '../../handlers/errors.ts';
import type { Connections } from '../../handlers/ports.ts';

/** Connections, and their other ends. */
export interface ConnectionsUnderTest {
  readonly connections: Connections;
  open(connection: string): void;
  close(connection: string): void;
  framesOf(connection: string): readonly string[];
}

/** An id as API Gateway gives them (aws-facts 1.1): it must be encoded in a path. */
export function newConnectionId(): string {
  return `${randomBytes(11).toString('base64url')}=`;
}

/** What every adapter of `Connections` must do. */
export function describeConnections(name: string, start: () => Promise<ConnectionsUnderTest>): void {
  describe(`Connections: ${name}`, () => {
    let tested: ConnectionsUnderTest;
    beforeAll(async () => {
      tested = await start();
    });

    it('sends frames in order, as they are', async () => {
      const connection = newConnectionId();
      tested.open(connection);
      await tested.connections.post(connection, '{"text":"naïve 🚀"}');
      await tested.connections.post(connection, '{"seq":2}');
      expect(tested.framesOf(connection)).toEqual(['{"text":"naïve 🚀"}', '{"seq":2}']);
    });

    it('says that a connection is gone, whether it was ever there or not', async () => {
      const connection = newConnectionId();
      await expect(tested.connections.post(connection, 'x')).rejects.toBeInstanceOf(ConnectionGoneError);
      tested.open(connection);
      tested.close(connection);
      const post = tested.connections.post(connection, 'x');
      await expect(post).rejects.toMatchObject({ name: 'ConnectionGoneError', connection });
      expect(tested.framesOf(connection)).toEqual([]);
    });

    it('refuses a frame above 128 KB', async () => {
      const connection = newConnectionId();
      tested.open(connection);
      await tested.connections.post(connection, 'x'.repeat(131_072));
      await expect(tested.connections.post(connection, 'x'.repeat(131_073))).rejects.toBeInstanceOf(
        RefusedError,
      );
      expect(tested.framesOf(connection)).toHaveLength(1);
    });
  });
}
