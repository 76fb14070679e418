import { describe, expect, it } from 'vitest';
import { type Resource, SynthesizedStack } from './synthesized-stack.ts';
import { COMBINATIONS, type Combination, contextOf, OWN } from './variants.ts';

/** Types of services that only one variant uses at all. */
const TYPES_OF: Readonly<Record<string, RegExp>> = {
  'step-functions': /^AWS::StepFunctions::/,
  'step-functions-efs': /^AWS::(StepFunctions|EFS|EC2)::/,
  'iot-core': /^AWS::IoT::/,
};

/** What refers to the functions, and so differs with them, though it is everybody's: by its path. */
const DIFFERS =
  /^Uploaded\/Failures\/Policy$|^(HttpApi\/Handler|Uploaded\/ObjectCreated|Sweeping\/Sweep|Publishing\/(Publish|Deliver))\/(Function|Role\/DefaultPolicy)$|^Publishing\/Changes$|^PageContent\/Deployment\/CustomResource|^Uploads\/Bucket$|^Alarms\/Function(Errors|Throttles)$/;

const stacks = new Map(
  COMBINATIONS.map((combination) => [combination, new SynthesizedStack(contextOf(combination))]),
);

function stackOf(combination: Combination): SynthesizedStack {
  const stack = stacks.get(combination);
  if (stack === undefined) throw new Error('Each combination has a stack');
  return stack;
}

/** The resources of a stack by path and type: some constructs have several under one path. */
function resourcesOf(stack: SynthesizedStack): ReadonlyMap<string, Resource> {
  return new Map(
    Object.entries(stack.resources).map(([id, resource]) => [`${stack.path(id)} ${resource.Type}`, resource]),
  );
}

const isBelow = (path: string, prefixes: readonly string[]) =>
  prefixes.some((prefix) => path.startsWith(prefix));

describe.each(COMBINATIONS)('$uploadEvents, $processing, $broadcast', (combination) => {
  const values = Object.values(contextOf(combination));
  const stack = stackOf(combination);
  const paths = [...resourcesOf(stack).keys()];

  it('deploys what its variants need, and no resource of another variant', () => {
    const own = values.flatMap((value) => OWN[value] ?? []);
    for (const prefix of own)
      expect(
        paths.filter((path) => path.startsWith(prefix)),
        prefix,
      ).not.toEqual([]);
    const foreign = Object.values(OWN)
      .flat()
      .filter((prefix) => !own.some((ours) => prefix.startsWith(ours)));
    expect(paths.filter((path) => isBelow(path, foreign) && !isBelow(path, own))).toEqual([]);
  });

  it('uses no service of another variant', () => {
    const allowed = values.flatMap((value) => TYPES_OF[value] ?? []);
    const special = Object.values(TYPES_OF);
    const types = new Set(Object.values(stack.resources).map(({ Type }) => Type));
    const used = [...types].filter((type) => special.some((pattern) => pattern.test(type)));
    expect(used.filter((type) => !allowed.some((pattern) => pattern.test(type)))).toEqual([]);
    for (const pattern of allowed) expect(used.some((type) => pattern.test(type))).toBe(true);
  });

  it('deploys all else as every combination does', () => {
    const everybodys = (one: SynthesizedStack) =>
      new Map(
        [...resourcesOf(one)]
          .filter(([path]) => !isBelow(path, Object.values(OWN).flat()))
          .map(([path, { Type, Properties }]) => [
            path,
            DIFFERS.test(path.replace(` ${Type}`, '')) ? Type : one.readable(Properties),
          ]),
      );
    const [first] = stacks.values();
    expect(everybodys(stack)).toEqual(first && everybodys(first));
    expect(everybodys(stack).size).toBeGreaterThan(80);
  });

  it('has an alarm that sums at most ten metrics, as CloudWatch allows', () => {
    for (const [path, { Properties }] of Object.entries(stack.ofType('AWS::CloudWatch::Alarm'))) {
      const metrics = Properties['Metrics'];
      if (Array.isArray(metrics)) expect(metrics.length - 1, path).toBeLessThanOrEqual(10); // one is the sum
    }
  });

  it('deploys one function of the CDK, which copies the page, and no other helper', () => {
    const custom = Object.values(stack.resources).filter(({ Type }) => Type.startsWith('Custom::'));
    expect(custom.map(({ Type }) => Type)).toEqual(['Custom::CDKBucketDeployment']);
  });
});
