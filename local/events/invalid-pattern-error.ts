/** An event pattern that EventBridge or Lambda would refuse. */
export class InvalidPatternError extends Error {
  override readonly name = 'InvalidPatternError';
  /** The fields that lead to the mistake, outermost first. */
  readonly path: readonly string[];

  constructor(path: readonly string[], reason: string, options?: ErrorOptions) {
    const place = path.length === 0 ? '' : ` at ${path.join('.')}`;
    super(`Invalid filter pattern definition${place}: ${reason}`, options);
    this.path = path;
  }
}
