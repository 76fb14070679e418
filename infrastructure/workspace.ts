import type { Mount, NodeFunction, NodeFunctionProps } from './node-function.ts';

/** What a step does with files of its execution. */
export type WorkspaceUse = 'read' | 'write' | 'remove';

/** Where the steps of a workflow hand on what they made, whichever way it is. */
export interface Workspace {
  /** Where it is, for the steps that use it. */
  readonly variables: NodeFunctionProps['variables'];
  /** The file system that these steps mount, where it is one. Then the object is in it, too. */
  readonly mount?: Mount;
  /** Lets a step use it. */
  allow(step: NodeFunction, ...uses: readonly WorkspaceUse[]): void;
}
