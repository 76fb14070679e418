import { Notice } from './notice.tsx';

/** What a page shows that was opened without being deployed. */
export function MissingApi() {
  return (
    <>
      <header class="masthead">
        <h1 class="wordmark">Jobwire</h1>
      </header>
      <main class="page">
        <Notice tone="error" title="This page does not know its API">
          It is a template: <code>npm start</code> or a deployment fills in where the API is. Open the address
          that they print instead of the file.
        </Notice>
      </main>
    </>
  );
}
