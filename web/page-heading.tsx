import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { Router } from './router.ts';

/**
 * The heading of what is shown. It takes the focus when the reader has come here by a link or key of this page: a
 * screen reader says where one is, and the next Tab goes on from there. (What had the focus is often gone with the
 * page before it.)
 */
export function PageHeading(props: {
  router: Router;
  id?: string;
  class?: string;
  children: ComponentChildren;
}) {
  const heading = useRef<HTMLHeadingElement>(null);
  const { router } = props;
  useEffect(() => {
    const lost = document.activeElement === document.body;
    // A heading may follow another of the same page, once there is a job to name: it takes over what that one had.
    if (router.takeMove() || (router.hasMoved && lost)) heading.current?.focus();
  }, [router]);
  return (
    <h1 ref={heading} id={props.id} class={props.class} tabIndex={-1}>
      {props.children}
    </h1>
  );
}

/**
 * The first stop of the Tab key: past what is the same on every page, and past the list beside a job. No link: the
 * hash is the address of what is shown.
 */
export function SkipButton() {
  return (
    <button
      type="button"
      class="skip"
      data-testid="skip"
      onClick={() => document.querySelector('h1')?.focus()}
    >
      Skip to content
    </button>
  );
}
