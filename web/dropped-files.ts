/** A file that misses the drop zone must not make the browser leave the page for it, in the midst of an upload. */
export function keepDropsOnThePage(): void {
  for (const type of ['dragover', 'drop']) {
    window.addEventListener(type, (event) => event.preventDefault());
  }
}

/** The files of a drop; folders and dragged text give none. */
export function droppedFiles(event: DragEvent): File[] {
  return [...(event.dataTransfer?.files ?? [])];
}
