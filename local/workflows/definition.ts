import * as v from 'valibot';

/** A definition says something that the local runtime does not run as Step Functions would. */
export class UnsupportedDefinitionError extends Error {
  override readonly name = 'UnsupportedDefinitionError';
}

/** A path to one place of a state's input, without what would have to be computed. */
const ReferencePath = v.pipe(
  v.string(),
  v.regex(/^\$(\.[A-Za-z_][A-Za-z0-9_]*)*$/, 'only paths such as $.error are supported'),
);
const PathSchema = v.nullable(v.string());
const PayloadSchema = v.record(v.string(), v.unknown());

const RetrySchema = v.strictObject({
  Comment: v.exactOptional(v.string()),
  ErrorEquals: v.array(v.string()),
  IntervalSeconds: v.exactOptional(v.number()),
  MaxAttempts: v.exactOptional(v.number()),
  BackoffRate: v.exactOptional(v.number()),
  MaxDelaySeconds: v.exactOptional(v.number()),
  JitterStrategy: v.exactOptional(v.picklist(['FULL', 'NONE'])),
});

const CatchSchema = v.strictObject({
  Comment: v.exactOptional(v.string()),
  ErrorEquals: v.array(v.string()),
  Next: v.string(),
  ResultPath: v.exactOptional(v.nullable(ReferencePath)),
});

const COMMENT = { Comment: v.exactOptional(v.string()) };
const TRANSITION = { Next: v.exactOptional(v.string()), End: v.exactOptional(v.literal(true)) };
const INPUT_AND_OUTPUT = {
  InputPath: v.exactOptional(PathSchema),
  OutputPath: v.exactOptional(PathSchema),
};
const RESULT = { ResultPath: v.exactOptional(v.nullable(ReferencePath)) };
const ERRORS = {
  ResultSelector: v.exactOptional(PayloadSchema),
  Retry: v.exactOptional(v.array(RetrySchema)),
  Catch: v.exactOptional(v.array(CatchSchema)),
};

const TaskSchema = v.strictObject({
  Type: v.literal('Task'),
  ...COMMENT,
  ...TRANSITION,
  ...INPUT_AND_OUTPUT,
  ...RESULT,
  ...ERRORS,
  Resource: v.pipe(
    v.string(),
    v.regex(/^arn:aws:lambda:[^:]+:\d{12}:function:[^:]+$/, 'only the ARN of a function is supported'),
  ),
  Parameters: v.exactOptional(PayloadSchema),
  TimeoutSeconds: v.exactOptional(v.pipe(v.number(), v.integer(), v.minValue(1))),
});

const MapSchema = v.strictObject({
  Type: v.literal('Map'),
  ...COMMENT,
  ...TRANSITION,
  ...INPUT_AND_OUTPUT,
  ...RESULT,
  ...ERRORS,
  ItemsPath: v.exactOptional(v.string()),
  ItemSelector: v.exactOptional(PayloadSchema),
  MaxConcurrency: v.exactOptional(v.pipe(v.number(), v.integer(), v.minValue(0))),
  ItemProcessor: v.strictObject({
    ProcessorConfig: v.exactOptional(v.strictObject({ Mode: v.literal('INLINE') })),
    Comment: v.exactOptional(v.string()),
    StartAt: v.string(),
    States: v.lazy((): v.GenericSchema<unknown, States> => StatesSchema),
  }),
});

const PassSchema = v.strictObject({
  Type: v.literal('Pass'),
  ...COMMENT,
  ...TRANSITION,
  ...INPUT_AND_OUTPUT,
  ...RESULT,
  Parameters: v.exactOptional(PayloadSchema),
  Result: v.exactOptional(v.union([PayloadSchema, v.array(v.unknown())])),
});

const WaitSchema = v.strictObject({
  Type: v.literal('Wait'),
  ...COMMENT,
  ...TRANSITION,
  ...INPUT_AND_OUTPUT,
  Seconds: v.exactOptional(v.number()),
  SecondsPath: v.exactOptional(v.string()),
  Timestamp: v.exactOptional(v.string()),
  TimestampPath: v.exactOptional(v.string()),
});

const ChoiceSchema = v.strictObject({
  Type: v.literal('Choice'),
  ...COMMENT,
  ...INPUT_AND_OUTPUT,
  Choices: v.array(v.record(v.string(), v.unknown())),
  Default: v.exactOptional(v.string()),
});

const SucceedSchema = v.strictObject({ Type: v.literal('Succeed'), ...COMMENT, ...INPUT_AND_OUTPUT });

const FailSchema = v.strictObject({
  Type: v.literal('Fail'),
  ...COMMENT,
  Error: v.exactOptional(v.string()),
  ErrorPath: v.exactOptional(v.string()),
  Cause: v.exactOptional(v.string()),
  CausePath: v.exactOptional(v.string()),
});

const StateSchema = v.variant('Type', [
  TaskSchema,
  MapSchema,
  PassSchema,
  WaitSchema,
  ChoiceSchema,
  SucceedSchema,
  FailSchema,
]);

/** A state that invokes a function. */
export type TaskState = v.InferOutput<typeof TaskSchema>;

/** A state that runs its processor once for every item. */
export interface MapState extends Omit<v.InferOutput<typeof MapSchema>, 'ItemProcessor'> {
  readonly ItemProcessor: { readonly StartAt: string; readonly States: States };
}

/** The states that the library runs by itself. */
export type OtherState = v.InferOutput<
  typeof PassSchema | typeof WaitSchema | typeof ChoiceSchema | typeof SucceedSchema | typeof FailSchema
>;

/** States by name. */
export type States = Readonly<Record<string, TaskState | MapState | OtherState>>;

const StatesSchema: v.GenericSchema<unknown, States> = v.record(v.string(), StateSchema);

const DefinitionSchema = v.strictObject({
  Comment: v.exactOptional(v.string()),
  Version: v.exactOptional(v.literal('1.0')),
  QueryLanguage: v.exactOptional(v.literal('JSONPath')),
  StartAt: v.string(),
  States: StatesSchema,
  TimeoutSeconds: v.exactOptional(v.pipe(v.number(), v.integer(), v.minValue(1))),
});

/** A state machine in the Amazon States Language, as far as the local runtime runs it. */
export interface Definition {
  readonly StartAt: string;
  readonly States: States;
  /** Of a whole execution. */
  readonly TimeoutSeconds?: number;
}

/** What of the Context Object exists here; of the state machine and of an item (`$$.Map.Item.Value`). */
const CONTEXT_PATHS =
  /^\$\$\.(Execution\.(Id|Name|RoleArn|Input|StartTime)|StateMachine\.(Id|Name))(\.|\[|$)/;
/** The library gives each item an Execution of its own, whose input and start are those of the item. */
const CONTEXT_PATHS_OF_ITEMS =
  /^\$\$\.(Execution\.(Id|Name|RoleArn)|StateMachine\.(Id|Name)|Map\.Item\.(Index|Value))(\.|\[|$)/;

/**
 * Reads a definition. Schemas are strict, as those of the template are: a field that would not be honoured is an
 * error, never silence.
 * @throws UnsupportedDefinitionError that names the field.
 */
export function parseDefinition(value: unknown): Definition {
  const parsed = v.safeParse(DefinitionSchema, value);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    throw new UnsupportedDefinitionError(`its definition, ${v.getDotPath(issue) ?? ''}: ${issue.message}`);
  }
  requireKnownContext(parsed.output.States, CONTEXT_PATHS);
  return parsed.output;
}

/** Every function that a definition invokes. */
export function functionArnsOf(states: States): readonly string[] {
  return Object.values(states).flatMap((state) => {
    if (state.Type === 'Task') return [state.Resource];
    return state.Type === 'Map' ? functionArnsOf(state.ItemProcessor.States) : [];
  });
}

function requireKnownContext(states: States, known: RegExp): void {
  for (const [name, state] of Object.entries(states)) {
    const { own, ofItems } = partsOf(state);
    requireKnownPaths(name, own, known);
    requireKnownPaths(name, ofItems.selector, CONTEXT_PATHS_OF_ITEMS);
    requireKnownContext(ofItems.states, CONTEXT_PATHS_OF_ITEMS);
  }
}

function partsOf(state: States[string]): {
  readonly own: unknown;
  readonly ofItems: { readonly selector: unknown; readonly states: States };
} {
  if (state.Type !== 'Map') return { own: state, ofItems: { selector: undefined, states: {} } };
  const { ItemProcessor, ItemSelector, ...own } = state;
  return { own, ofItems: { selector: ItemSelector, states: ItemProcessor.States } };
}

function requireKnownPaths(stateName: string, value: unknown, known: RegExp): void {
  const text = JSON.stringify(value) ?? '';
  for (const [path] of text.matchAll(/\$\$[A-Za-z0-9_.[]*/g)) {
    if (known.test(path)) continue;
    throw new UnsupportedDefinitionError(
      `its state ${stateName} refers to ${path}, which does not exist here`,
    );
  }
}
