import type { ComponentChildren } from 'preact';

/**
 * A sentence or two that somebody should read: what happened, and what to do about it. Only one that nothing else
 * tells of is spoken: the announcer speaks of jobs and of the connection, and who opens a page reads what is there.
 */
export function Notice(props: {
  tone: 'info' | 'warning' | 'error';
  title: string;
  /** Whether a screen reader says it at once. */
  spoken?: boolean;
  children?: ComponentChildren;
  /** A button for what to do about it. */
  action?: ComponentChildren;
  onDismiss?: () => void;
}) {
  return (
    <section
      class={`notice notice-${props.tone}`}
      data-testid="notice"
      data-tone={props.tone}
      role={props.spoken === true ? 'alert' : undefined}
    >
      <div class="notice-text">
        <h2>{props.title}</h2>
        {props.children === undefined ? null : <p>{props.children}</p>}
      </div>
      {props.action}
      {props.onDismiss === undefined ? null : (
        <button type="button" class="quiet" onClick={props.onDismiss}>
          Dismiss
        </button>
      )}
    </section>
  );
}
