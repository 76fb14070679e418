import { Announcer } from './announcer.tsx';
import { ConnectionLight } from './connection-light.tsx';
import { JobList } from './job-list.tsx';
import { JobPage } from './job-page.tsx';
import { Notice } from './notice.tsx';
import type { Store } from './store.ts';
import { SubmitPage } from './submit-page.tsx';

/** The whole page: what is open on one side, the recent jobs on the other. */
export function App({ store }: { store: Store }) {
  const route = store.router.route.value;
  return (
    <>
      <header class="masthead">
        <a class="wordmark" href="#/">
          Jobwire
        </a>
        <ConnectionLight store={store} />
      </header>
      <main class="page">
        <div class="stage">
          {store.complaints.value.map((complaint) => (
            <Notice
              key={complaint}
              tone="error"
              title={complaint.title}
              onDismiss={() => store.dismiss(complaint)}
            >
              {complaint.text}
            </Notice>
          ))}
          {route.name === 'job' ? (
            <JobPage key={route.id} store={store} id={route.id} />
          ) : (
            <SubmitPage store={store} />
          )}
        </div>
        <JobList store={store} />
      </main>
      <Announcer store={store} />
    </>
  );
}
