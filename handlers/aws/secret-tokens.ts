import { randomUUID } from 'node:crypto';
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { errors, type JWTPayload, jwtVerify, SignJWT } from 'jose';
import * as v from 'valibot';
import { JobIdSchema } from '../../protocol/job.ts';
import { InvalidTokenError } from '../errors.ts';
import type { Now, TicketScope, Tokens } from '../ports.ts';
import { type KeyPurpose, SigningKeys } from './signing-keys.ts';

/** How long a ticket lives, in seconds (the wire contract, "WebSocket"). */
const TICKET_SECONDS = 60;

const ALGORITHM = 'HS256';
const ISSUER = 'jobwire';

/** What tells a token from a ticket, three times over: the key, the audience and the type in the header. */
interface Kind {
  readonly purpose: KeyPurpose;
  readonly audience: string;
  readonly type: string;
}
const JOB_TOKEN: Kind = { purpose: 'jobwire job token', audience: 'jobwire:job', type: 'job+jwt' };
const TICKET: Kind = { purpose: 'jobwire ticket', audience: 'jobwire:ticket', type: 'ticket+jwt' };

const Subject = v.pipe(v.string(), v.minLength(1));
const JobTokenClaimsSchema = v.object({ sub: Subject, job: JobIdSchema });
const TicketClaimsSchema = v.variant('kind', [
  v.object({ kind: v.literal('job'), sub: Subject, job: JobIdSchema }),
  v.object({ kind: v.literal('owner'), sub: Subject }),
]);

/**
 * `Tokens` as signed JSON Web Tokens. Nothing is stored: a ticket passes until it expires, which is why it
 * lives for a minute only. Characters of both fit into a subprotocol. No text of theirs is ever in an error.
 */
export class SecretTokens implements Tokens {
  readonly #keys: SigningKeys;
  readonly #now: Now;

  constructor(settings: {
    readonly client: SecretsManagerClient;
    readonly secretArn: string;
    readonly now: Now;
  }) {
    this.#keys = new SigningKeys(settings);
    this.#now = settings.now;
  }

  async issueJobToken(
    job: { readonly id: string; readonly owner: string },
    expiresAt: string,
  ): Promise<string> {
    return this.#sign(JOB_TOKEN, job.owner, { job: job.id }, Math.floor(Date.parse(expiresAt) / 1000));
  }

  async verifyJobToken(token: string): Promise<{ readonly job: string; readonly owner: string }> {
    const { job, sub } = await this.#verify(JOB_TOKEN, JobTokenClaimsSchema, token);
    return { job, owner: sub };
  }

  async issueTicket(scope: TicketScope): Promise<{ readonly ticket: string; readonly expiresAt: string }> {
    const expiry = Math.floor(this.#now().getTime() / 1000) + TICKET_SECONDS;
    const claims = scope.kind === 'job' ? { kind: scope.kind, job: scope.job } : { kind: scope.kind };
    const ticket = await this.#sign(TICKET, scope.subject, claims, expiry);
    return { ticket, expiresAt: new Date(expiry * 1000).toISOString() };
  }

  async verifyTicket(ticket: string): Promise<TicketScope> {
    const claims = await this.#verify(TICKET, TicketClaimsSchema, ticket);
    if (claims.kind === 'owner') return { kind: 'owner', subject: claims.sub };
    return { kind: 'job', subject: claims.sub, job: claims.job };
  }

  async #sign(kind: Kind, subject: string, claims: JWTPayload, expiry: number): Promise<string> {
    const { id, key } = await this.#keys.signing(kind.purpose);
    return new SignJWT(claims)
      .setProtectedHeader({ alg: ALGORITHM, typ: kind.type, kid: id })
      .setIssuer(ISSUER)
      .setAudience(kind.audience)
      .setSubject(subject)
      .setJti(randomUUID())
      .setIssuedAt(this.#now())
      .setExpirationTime(expiry)
      .sign(key);
  }

  async #verify<const Schema extends v.GenericSchema>(
    kind: Kind,
    schema: Schema,
    token: string,
  ): Promise<v.InferOutput<Schema>> {
    const payload = await this.#open(kind, token);
    const claims = v.safeParse(schema, payload);
    if (!claims.success) throw new InvalidTokenError('invalid');
    return claims.output;
  }

  async #open(kind: Kind, token: string): Promise<JWTPayload> {
    try {
      const { payload } = await jwtVerify(
        token,
        async ({ kid }) => {
          const found = kid === undefined ? undefined : await this.#keys.verifying(kind.purpose, kid);
          if (found === undefined) throw new InvalidTokenError('invalid');
          return found.key;
        },
        {
          algorithms: [ALGORITHM],
          issuer: ISSUER,
          audience: kind.audience,
          typ: kind.type,
          requiredClaims: ['exp', 'iat', 'jti', 'sub'],
          currentDate: this.#now(),
        },
      );
      return payload;
    } catch (error) {
      if (error instanceof errors.JWTExpired) throw new InvalidTokenError('expired', { cause: error });
      if (error instanceof errors.JOSEError) throw new InvalidTokenError('invalid', { cause: error });
      throw error; // ours already: InvalidTokenError, or what Secrets Manager's failure means
    }
  }
}
