import { createHash, hkdfSync } from 'node:crypto';
import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { MalformedDataError, UnavailableError } from '../errors.ts';
import type { Now } from '../ports.ts';
import { nameOf, translateServiceError } from './service-error.ts';

/** What a key is for. Each purpose has keys of its own, so that one never signs for the other. */
export type KeyPurpose = 'jobwire job token' | 'jobwire ticket';

/** A key and the `kid` that names it. */
export interface SigningKey {
  readonly id: string;
  readonly key: Uint8Array;
}

/** How long keys are used before the secret is read again, in milliseconds: how soon a rotation is noticed. */
const LIFE_MILLISECONDS = 5 * 60_000;

/** The shortest time between two readings, in milliseconds, however many unknown key ids strangers send. */
const REST_MILLISECONDS = 10_000;

/** Bytes of a key: as many as the hash of HS256 has (RFC 7518, 3.2). */
const KEY_BYTES = 32;

/** The secret is 64 random characters as the stack makes it; what is much shorter was put there by mistake. */
const MINIMUM_SECRET_CHARACTERS = 32;

/**
 * The keys that are derived from a secret of Secrets Manager: the version AWSCURRENT signs, AWSCURRENT and
 * AWSPREVIOUS verify, so that what was signed before a rotation stays valid until the next one.
 */
export class SigningKeys {
  readonly #client: SecretsManagerClient;
  readonly #secretArn: string;
  readonly #now: Now;
  #secrets: readonly string[] = [];
  #triedAt = Number.NEGATIVE_INFINITY;
  #readAt = Number.NEGATIVE_INFINITY;
  #reading: Promise<void> | undefined;

  constructor(settings: {
    readonly client: SecretsManagerClient;
    readonly secretArn: string;
    readonly now: Now;
  }) {
    this.#client = settings.client;
    this.#secretArn = settings.secretArn;
    this.#now = settings.now;
  }

  /** The key that signs now. @throws UnavailableError, RefusedError, MalformedDataError. */
  async signing(purpose: KeyPurpose): Promise<SigningKey> {
    await this.#refreshIfOld();
    const [current] = this.#secrets;
    if (current === undefined) throw new MalformedDataError('The signing secret');
    return derive(current, purpose);
  }

  /** The key of an id; undefined where neither version of the secret has it. @throws as `signing`. */
  async verifying(purpose: KeyPurpose, id: string): Promise<SigningKey | undefined> {
    await this.#refreshIfOld();
    const known = this.#find(purpose, id);
    if (known !== undefined) return known;
    // Signed by a function that has noticed a rotation before us, or by nobody of ours.
    if (this.#now().getTime() - this.#triedAt >= REST_MILLISECONDS) await this.#refresh();
    return this.#find(purpose, id);
  }

  #find(purpose: KeyPurpose, id: string): SigningKey | undefined {
    return this.#secrets.map((secret) => derive(secret, purpose)).find((key) => key.id === id);
  }

  async #refreshIfOld(): Promise<void> {
    const now = this.#now().getTime();
    if (now - this.#readAt < LIFE_MILLISECONDS) return;
    if (this.#secrets.length === 0) return this.#refresh();
    if (now - this.#triedAt < REST_MILLISECONDS) return;
    try {
      await this.#refresh();
    } catch (error) {
      // Keys that were right five minutes ago beat refusing everybody while Secrets Manager is away.
      if (!(error instanceof UnavailableError)) throw error;
    }
  }

  /** Reads the secret; those who come meanwhile wait for the same reading. */
  async #refresh(): Promise<void> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #read(): Promise<void> {
    this.#triedAt = this.#now().getTime();
    const [current, previous] = await Promise.all([
      this.#readVersion('AWSCURRENT'),
      this.#readVersion('AWSPREVIOUS'),
    ]);
    if (current === undefined || current.length < MINIMUM_SECRET_CHARACTERS) {
      throw new MalformedDataError('The signing secret');
    }
    this.#secrets = previous === undefined ? [current] : [current, previous];
    this.#readAt = this.#triedAt;
  }

  async #readVersion(VersionStage: 'AWSCURRENT' | 'AWSPREVIOUS'): Promise<string | undefined> {
    const command = new GetSecretValueCommand({ SecretId: this.#secretArn, VersionStage });
    try {
      return (await this.#client.send(command)).SecretString;
    } catch (error) {
      // A secret that has never been rotated has no previous version.
      if (VersionStage === 'AWSPREVIOUS' && nameOf(error) === 'ResourceNotFoundException') return undefined;
      throw translateServiceError('Secrets Manager', error);
    }
  }
}

/** HKDF (RFC 5869) with the purpose as info; the id is a prefix of the key's hash and tells nothing of it. */
function derive(secret: string, purpose: KeyPurpose): SigningKey {
  const key = new Uint8Array(hkdfSync('sha256', secret, '', purpose, KEY_BYTES));
  return { id: createHash('sha256').update(key).digest('base64url').slice(0, 12), key };
}
