/** How long the frame of a download is kept, in milliseconds: storage that has not begun to answer by then will not. */
const KEPT_MS = 60_000;

/**
 * Downloads what an address of another origin serves as an attachment. By a frame and not by `location`, which
 * would count as leaving the page: the browser asks whether to when an upload is under way, and an answer that is no
 * attachment would take the page's place. (`<a download>` is the same across origins:
 * https://developer.mozilla.org/docs/Web/HTML/Reference/Elements/a#download.)
 * @param refused called when the answer is a document, such as an error of the storage
 */
export function download(url: string, refused: () => void): void {
  const frame = document.createElement('iframe');
  frame.hidden = true;
  frame.setAttribute('sandbox', 'allow-downloads');
  // A download never loads.
  frame.addEventListener('load', () => {
    frame.remove();
    refused();
  });
  frame.src = url;
  document.body.append(frame);
  setTimeout(() => frame.remove(), KEPT_MS);
}
