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

/** The whole page: all jobs, or one job with the list beside it where there is room. */
export function App({ store }: { store: Store }) {
  const route = store.router.route.value;
  return (
    <>
      <SkipButton />
      <Masthead store={store} />
      <main class="page" data-view={route.name}>
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
