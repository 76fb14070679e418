import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { REGION } from '../account.ts';
import { StartError } from '../errors.ts';
import type { Principal } from '../permissions/principal.ts';
import type { Stack } from '../template/properties.ts';
import { readQueues } from '../template/read-storage.ts';
import type { Closing } from './closing.ts';

/** The queues of the template by ARN, and a way to send to them. */
export class QueueDirectory {
  readonly #urls: ReadonlyMap<string, string>;
  readonly #endpoint: string;
  readonly #owner: SQSClient;

  /** `endpoint` is that of SQS; messages of nobody's in particular are sent as the `owner`. */
  constructor(
    stack: Stack,
    endpoint: string,
    { owner, closing }: { readonly owner: Principal; readonly closing: Closing },
  ) {
    this.#urls = new Map(readQueues(stack).map(({ arn, url }) => [arn, url]));
    this.#endpoint = endpoint;
    this.#owner = this.clientOf(owner, closing);
  }

  /** A client that calls as `principal`, as an event source mapping calls with the role of its function. */
  clientOf(principal: Principal, closing: Closing): SQSClient {
    const client = new SQSClient({ endpoint: this.#endpoint, region: REGION, credentials: { ...principal } });
    closing.add(() => client.destroy());
    return client;
  }

  /** @throws StartError for the ARN of no queue of the template. */
  urlOf(arn: string): string {
    const url = this.#urls.get(arn);
    if (url === undefined)
      throw new StartError(`The template refers to the queue ${arn}, which it does not have`);
    return url;
  }

  /**
   * A sender to the queue of an ARN.
   * @throws StartError for the ARN of no queue of the template.
   */
  senderTo(arn: string): (body: string, attributes?: Readonly<Record<string, string>>) => Promise<void> {
    const url = this.urlOf(arn);
    return async (body, attributes = {}) => {
      await this.#owner.send(
        new SendMessageCommand({
          QueueUrl: url,
          MessageBody: body,
          MessageAttributes: Object.fromEntries(
            Object.entries(attributes).map(([name, value]) => [
              name,
              { DataType: 'String', StringValue: value },
            ]),
          ),
        }),
      );
    };
  }
}
