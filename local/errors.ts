/**
 * What can keep the local runtime from starting, in a sentence that says what to do. The command prints the
 * message alone; everything else is a defect and is shown with its stack.
 */
export class StartError extends Error {
  override readonly name: string = 'StartError';
}

/** The template holds something that the local runtime does not know how to run. */
export class UnsupportedTemplateError extends StartError {
  constructor(logicalId: string, type: string, what: string, options?: ErrorOptions) {
    super(
      `The local runtime cannot run ${logicalId} (${type}): ${what}. ` +
        'ARCHITECTURE.md, "The local runtime", says how to add a resource type.',
      options,
    );
  }
}
