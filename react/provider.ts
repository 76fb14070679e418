import { createContext, createElement, type ReactElement, type ReactNode, useContext } from 'react';
import type { JobwireClient } from '../client/client.ts';

const ClientContext = createContext<JobwireClient | undefined>(undefined);

/** What `JobwireProvider` takes. */
export interface JobwireProviderProps {
  /** Made once, outside of any component, with `createJobwireClient`. */
  readonly client: JobwireClient;
  readonly children?: ReactNode;
}

/** A hook found no client: neither an option nor a provider around it names one. */
export class MissingClientError extends Error {
  override readonly name = 'MissingClientError';
}

/** Gives a client to every hook below. It does not close the client: whoever made it does. */
export function JobwireProvider({ client, children }: JobwireProviderProps): ReactElement {
  return createElement(ClientContext.Provider, { value: client }, children);
}

/**
 * The client of the nearest provider, unless the caller names one.
 * @throws MissingClientError when there is neither.
 */
export function useJobwireClient(client?: JobwireClient): JobwireClient {
  const provided = useContext(ClientContext);
  const found = client ?? provided;
  if (found === undefined) {
    throw new MissingClientError(
      'No Jobwire client: put <JobwireProvider client={createJobwireClient({ api })}> around this component, or pass { client }.',
    );
  }
  return found;
}
