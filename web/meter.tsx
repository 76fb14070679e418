/** A progress bar with what it measures; without `value` (0 to 1) it shows that something goes on. */
export function Meter(props: {
  title: string;
  value?: number;
  figure?: string;
  detail?: string;
  aside?: string;
  testId?: string;
}) {
  return (
    <section class="meter" data-testid={props.testId} aria-label={props.title}>
      <p class="meter-head">
        <span class="meter-title">{props.title}</span>
        <span class="meter-figure">{props.figure}</span>
      </p>
      {props.value === undefined ? (
        <progress class="bar" max={1} aria-label={props.title} />
      ) : (
        <progress class="bar" max={1} value={props.value} aria-label={props.title} />
      )}
      <p class="meter-foot">
        <span>{props.detail}</span>
        <span>{props.aside}</span>
      </p>
    </section>
  );
}
