/** A browser that does not tell of its first paint, or has not painted by then, is waited for no longer: milliseconds. */
const LONGEST_WAIT_MS = 1_000;

/**
 * Calls back once the reader sees the page, so that what the page asks of other hosts does not hold that up. At once
 * where nothing is painted: in a tab that is opened in the background.
 */
export function afterFirstPaint(action: () => void): void {
  if (document.visibilityState !== 'visible') {
    action();
    return;
  }
  let done = false;
  const act = () => {
    clearTimeout(timer);
    observer.disconnect();
    if (!done) action();
    done = true;
  };
  const timer = setTimeout(act, LONGEST_WAIT_MS);
  const observer = new PerformanceObserver((list) => {
    if (list.getEntriesByName('first-contentful-paint').length > 0) act();
  });
  observer.observe({ type: 'paint', buffered: true });
}
