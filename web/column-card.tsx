import type { ColumnResult } from './csv-profile-result.ts';
import { formatCount, formatFigure, formatShare } from './units.ts';

/** How many frequent values are drawn; more are in the result itself. */
const VALUES = 5;

/** One column: type, how full it is, its range, its frequent values. */
export function ColumnCard({ column }: { column: ColumnResult }) {
  const rows = column.count + column.empty;
  const filled = rows === 0 ? 0 : column.count / rows;
  return (
    <li class="column" data-testid="column">
      <header class="column-head">
        <h3>{column.name}</h3>
        <span class="column-type" data-type={column.type}>
          {column.type}
        </span>
      </header>
      <div class="column-filled">
        <meter class="strip" min={0} max={1} value={filled} aria-label="Filled" />
        <p class="column-line">
          <span>{column.empty === 0 ? 'no gaps' : `${formatCount(column.empty)} empty`}</span>
          <span>
            {column.distinct.exact ? '' : '≈ '}
            {formatCount(column.distinct.value)} different
          </span>
        </p>
      </div>
      <Types column={column} />
      <Range column={column} />
      <Frequent column={column} />
    </li>
  );
}

/** What a mixed column is mixed of; the type itself tells the rest. */
function Types({ column }: { column: ColumnResult }) {
  const types = Object.entries(column.types).sort(([, one], [, other]) => other - one);
  if (types.length < 2) return null;
  return (
    <p class="column-line column-mix">
      {types.map(([type, count]) => (
        <span key={type}>
          {type} {formatShare(count, column.count)}
        </span>
      ))}
    </p>
  );
}

/** From least to greatest: times and texts in lines of their own, numbers with the mean where it lies between. */
function Range({ column: { min, max, mean } }: { column: ColumnResult }) {
  if (min === undefined || max === undefined) return null;
  if (typeof min === 'string' || typeof max === 'string') {
    return (
      <dl class="range-texts">
        <Bound name="min" value={String(min)} />
        <Bound name="max" value={String(max)} />
      </dl>
    );
  }
  return (
    <div class="range">
      {mean === undefined || max <= min ? null : (
        <span class="range-track" aria-hidden="true">
          <span class="range-mean" style={{ left: `${(100 * (mean - min)) / (max - min)}%` }} />
        </span>
      )}
      <dl class="range-figures">
        <Bound name="min" value={formatFigure(min)} />
        {mean === undefined ? null : <Bound name="mean" value={formatFigure(mean)} />}
        <Bound name="max" value={formatFigure(max)} />
      </dl>
    </div>
  );
}

function Bound({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd title={value}>{value}</dd>
    </div>
  );
}

function Frequent({ column: { frequent, count } }: { column: ColumnResult }) {
  const values = frequent.values.slice(0, VALUES);
  const most = values[0]?.count ?? 1;
  if (values.length === 0 || most <= 1) return null;
  return (
    <ol
      class="frequent"
      aria-label={frequent.exact ? 'Most frequent values' : 'Most frequent values, estimated'}
    >
      {values.map(({ value, count: times, cut }) => (
        <li
          key={`${value} ${times}`}
          class="frequent-value"
          title={`${formatShare(times, count)} of the values`}
        >
          <span class="frequent-bar" aria-hidden="true" style={{ width: `${(100 * times) / most}%` }} />
          <span class="frequent-text">
            {value}
            {cut === true ? '…' : ''}
          </span>
          <span class="number frequent-count">
            {frequent.exact ? '' : '≥ '}
            {formatCount(times)}
          </span>
        </li>
      ))}
    </ol>
  );
}
