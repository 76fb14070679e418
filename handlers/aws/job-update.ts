import type { UpdateItemCommandInput } from '@aws-sdk/client-dynamodb';
import { isTerminal } from '../../protocol/status.ts';
import { statusesThatAllow } from '../job-change.ts';
import type { JobChange } from '../ports.ts';
import { toAttributes } from './job-item.ts';

/**
 * The one conditional write by which a job changes. What races with what:
 *
 *   upload      |--create--|......|--queued--|
 *   cancel                     |--cancelled--|            either wins; the other finds STATUS_ALLOWS false
 *   execution A                          |--running--|--report--|--report--|..lost..|--report--|
 *   execution B                       |--running--|                         |--takes over--|
 *     two claims of one message: STATUS_ALLOWS lets one in; the report of a lost A: EXECUTION_IS refuses it
 *   sweep                                         |--stalled (it read seq 7)--|
 *     a report makes seq 8 before: SEQ_IS refuses the flag, the job is not stalled after all
 *   SDK                     |--try 1: committed, answer lost--|--try 2 of the same request--|
 *     NOT_MADE_YET refuses try 2; the item that comes with the refusal bears our change id, so it succeeded
 *     (if another writer came between the tries, its id is there: try 2 is then judged like a new change. A
 *     status is entered once all the same; a report may count twice, which the next one overwrites)
 */
const EXISTS = 'attribute_exists(#job)';
const EPOCH_IS = '#epoch = :epoch';
const EXECUTION_IS = '#execution.#id = :executionId';
const SEQ_IS = '#seq = :expectedSeq';
const NOT_MADE_YET = '#lastChange <> :lastChange';
const statusIsOneOf = (placeholders: readonly string[]) => `#status IN (${placeholders.join(', ')})`;

/**
 * The request for a change whose fields have been checked. `changeId` is unique to the change and the same
 * in every try of it. Undefined where no status allows the change.
 */
export function jobUpdate(
  tableName: string,
  id: string,
  change: JobChange,
  changeId: string,
): UpdateItemCommandInput | undefined {
  const statuses = statusesThatAllow(change);
  if (statuses.length === 0) return undefined;

  const names = new Map([['#job', 'job']]);
  const values = new Map<string, unknown>([[':one', 1]]);
  const name = (attribute: string) => {
    names.set(`#${attribute}`, attribute);
    return `#${attribute}`;
  };
  const value = (key: string, content: unknown) => {
    values.set(`:${key}`, content);
    return `:${key}`;
  };
  const set = (attribute: string, content: unknown) => `${name(attribute)} = ${value(attribute, content)}`;

  const conditions = [EXISTS, statusIsOneOf(statuses.map((status, index) => value(`from${index}`, status)))];
  name('status');
  conditions.push(NOT_MADE_YET);
  if (change.epoch !== undefined) {
    name('epoch');
    value('epoch', change.epoch);
    conditions.push(EPOCH_IS);
  }
  if (change.execution !== undefined) {
    name('execution');
    name('id');
    value('executionId', change.execution);
    conditions.push(EXECUTION_IS);
  }
  if (change.seq !== undefined) {
    value('expectedSeq', change.seq);
    conditions.push(SEQ_IS);
  }

  const { at, to } = change;
  const assignments = [
    `${name('seq')} = #seq + :one`,
    set('updatedAt', at),
    set('lastChange', changeId),
    ...Object.entries({ stalled: false, ...change.set }).map(([field, content]) => set(field, content)),
  ];
  if (to !== undefined) {
    names.set('#to', to);
    assignments.push(
      set('status', to),
      `${name('history')} = list_append(#history, ${value('entry', [{ status: to, at }])})`,
      `${name('historySeq')}.#to = #seq + :one`,
    );
    if (to === 'running') assignments.push(set('startedAt', at));
    if (isTerminal(to)) assignments.push(set('finishedAt', at));
  }

  const cleared = (change.clear ?? []).map(name);
  return {
    TableName: tableName,
    Key: toAttributes({ job: id }),
    ConditionExpression: conditions.join(' AND '),
    UpdateExpression: `SET ${assignments.join(', ')}${cleared.length === 0 ? '' : ` REMOVE ${cleared.join(', ')}`}`,
    ExpressionAttributeNames: Object.fromEntries(names),
    ExpressionAttributeValues: toAttributes(Object.fromEntries(values)),
    ReturnValues: 'ALL_NEW',
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  };
}
