import { Announcer } from './announcer.tsx';
import { JobBoard } from './job-board.tsx';
import { JobPage } from './job-page.tsx';
import { Masthead } from './masthead.tsx';
import { Notice } from './notice.tsx';
import { PageHeading, SkipButton } from './page-heading.tsx';
import { PageTitle } from './page-title.tsx';
import { Shortcuts } from './shortcuts.tsx';
import type { Store } from './store.ts';
import { SubmitStrip } from './submit-strip.tsx';
import { explain } from './wording.ts';

/** The whole page: all jobs, or one job with the list beside it where there is room. */
export function App({ store }: { store: Store }) {
  const route = store.router.route.value;
  return (
    <>
      <SkipButton />
      <Masthead store={store} />
      <main class="page" data-view={route.name}>
        <Closed store={store} />
        <Complaints store={store} />
        {route.name === 'job' ? (
          <>
            <aside class="sidebar">
              <JobBoard store={store} open={route.id} />
            </aside>
            <JobPage key={route.id} store={store} id={route.id} />
          </>
        ) : (
          <>
            <PageHeading router={store.router} class="visually-hidden">
              Jobs
            </PageHeading>
            <SubmitStrip store={store} />
            <JobBoard store={store} />
          </>
        )}
      </main>
      <Announcer store={store} />
      <PageTitle store={store} />
      <Shortcuts store={store} />
    </>
  );
}

/** Why nothing more will come; what a job's page says of its own watch is the same. */
function Closed({ store }: { store: Store }) {
  const state = store.connection.value;
  if (state.status !== 'closed' || state.error === undefined || store.refusal.value !== undefined)
    return null;
  return (
    <div class="complaints">
      <Notice tone="error" spoken title="Not connected">
        {explain(state.error)}
      </Notice>
    </div>
  );
}

function Complaints({ store }: { store: Store }) {
  const complaints = store.complaints.list.value;
  if (complaints.length === 0) return null;
  return (
    <div class="complaints">
      {complaints.map((complaint) => (
        <Notice
          key={complaint}
          tone="error"
          spoken
          title={complaint.title}
          onDismiss={() => store.complaints.dismiss(complaint)}
        >
          {complaint.text}
        </Notice>
      ))}
    </div>
  );
}
