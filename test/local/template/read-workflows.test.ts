import { expect, it } from 'vitest';
import { StartError, UnsupportedTemplateError } from '../../../local/errors.ts';
import { readStateMachines } from '../../../local/template/read-workflows.ts';
import { roleAllowing, stackOf } from './template-fixture.ts';

const WORK_ARN = { 'Fn::GetAtt': ['Work', 'Arn'] };
const OTHER_ARN = { 'Fn::GetAtt': ['Other', 'Arn'] };

/** `{"StartAt":…}` with the ARN of the function in the middle, as the CDK writes it. */
function definition(fields = '') {
  const before = `{"StartAt":"Work","States":{"Work":{"Type":"Task","Resource":"`;
  return { 'Fn::Join': ['', [before, WORK_ARN, `","End":true${fields}}}}`]] };
}

function machinesOf(properties: object, invokes: unknown = WORK_ARN) {
  return readStateMachines(
    stackOf({
      Work: { Type: 'AWS::Lambda::Function' },
      Other: { Type: 'AWS::Lambda::Function' },
      Role: roleAllowing(['lambda:InvokeFunction'], invokes),
      Machine: {
        Type: 'AWS::StepFunctions::StateMachine',
        Properties: {
          RoleArn: { 'Fn::GetAtt': ['Role', 'Arn'] },
          DefinitionString: definition(),
          LoggingConfiguration: { Level: 'ERROR' },
          ...properties,
        },
      },
    }),
  );
}

it('reads a state machine with the functions of its definition', () => {
  expect(machinesOf({ StateMachineType: 'STANDARD' })).toEqual([
    {
      logicalId: 'Machine',
      name: 'Stack-Machine',
      arn: 'arn:aws:states:us-east-1:000000000000:stateMachine:Stack-Machine',
      roleArn: 'arn:aws:iam::000000000000:role/Stack-Role',
      definition: {
        StartAt: 'Work',
        States: {
          Work: {
            Type: 'Task',
            Resource: 'arn:aws:lambda:us-east-1:000000000000:function:Stack-Work',
            End: true,
          },
        },
      },
    },
  ]);
});

it('refuses a role that may not invoke a function of the definition', () => {
  const read = () => machinesOf({}, OTHER_ARN);
  expect(read).toThrow(StartError);
  expect(read).toThrow(
    /Stack-Machine may not invoke .*function:Stack-Work: .* do not allow lambda:InvokeFunction/,
  );
});

it.each([
  [{ StateMachineType: 'EXPRESS' }, /Machine .*StateMachineType/],
  [{ DefinitionString: '{' }, /Machine .*DefinitionString/],
  [{ DefinitionString: definition(',"HeartbeatSeconds":5') }, /Machine .*States\.Work\.HeartbeatSeconds/],
])('refuses what would not run as in AWS: %j', (properties, sentence) => {
  const read = () => machinesOf(properties);
  expect(read).toThrow(UnsupportedTemplateError);
  expect(read).toThrow(sentence);
});
