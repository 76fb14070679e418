import type { Frames } from './arrivals.ts';

/** The frames of this page. */
export const animationFrames: Frames = {
  request: (run) => (document.visibilityState === 'visible' ? requestAnimationFrame(run) : undefined),
  cancel: (frame) => cancelAnimationFrame(frame),
};
