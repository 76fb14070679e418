/** One number under its name, inside of a `<dl>`. */
export function Figure(props: { name: string; value: string; testId?: string }) {
  return (
    <div class="figure">
      <dt>{props.name}</dt>
      <dd class="number" data-testid={props.testId}>
        {props.value}
      </dd>
    </div>
  );
}
