import type { ComponentChildren } from 'preact';

/** A sentence or two that somebody should read: what happened, and what to do about it. */
export function Notice(props: {
  tone: 'info' | 'warning' | 'error';
  title: string;
  children?: ComponentChildren;
  onDismiss?: () => void;
}) {
  return (
    <section class={`notice notice-${props.tone}`} data-testid="notice" data-tone={props.tone} role="alert">
      <div class="notice-text">
        <h2>{props.title}</h2>
        {props.children === undefined ? null : <p>{props.children}</p>}
      </div>
      {props.onDismiss === undefined ? null : (
        <button type="button" class="quiet" onClick={props.onDismiss}>
          Dismiss
        </button>
      )}
    </section>
  );
}
