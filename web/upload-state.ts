/** How far an upload of this page is, in bytes. */
export type UploadState =
  | { readonly phase: 'sending'; readonly sent: number; readonly total: number }
  | { readonly phase: 'sent' }
  | { readonly phase: 'stopped' }
  | { readonly phase: 'failed'; readonly error: unknown };
