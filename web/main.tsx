import { render } from 'preact';
import { createJobwireClient } from '../client/client.ts';
import { App } from './app.tsx';
import { keepDropsOnThePage } from './dropped-files.ts';
import { afterFirstPaint } from './first-paint.ts';
import { MissingApi } from './missing-api.tsx';
import { observedFetch } from './observed-fetch.ts';
import { Router } from './router.ts';
import { Store } from './store.ts';
import { Traffic } from './traffic.ts';
import './styles/base.css';
import './styles/frame.css';
import './styles/connection.css';
import './styles/overlays.css';
import './styles/controls.css';
import './styles/submit.css';
import './styles/notices.css';
import './styles/status.css';
import './styles/board.css';
import './styles/job.css';
import './styles/timeline.css';
import './styles/profile.css';
import './styles/motion.css';
import './styles/contrast.css';

/** The deployment writes the API's URL into a `<meta>`; a page that nobody filled in says so. */
function apiOfPage(): string | undefined {
  const content = document.querySelector<HTMLMetaElement>('meta[name="jobwire-api"]')?.content;
  return content === undefined || !/^https?:\/\//.test(content) ? undefined : content;
}

function start(container: HTMLElement): void {
  const api = apiOfPage();
  if (api === undefined) {
    render(<MissingApi />, container);
    return;
  }
  const traffic = new Traffic();
  const client = createJobwireClient({ api, fetch: observedFetch(traffic.clock) });
  const store = new Store({ client, router: new Router(), traffic });
  keepDropsOnThePage();
  render(<App store={store} />, container);
  afterFirstPaint(() => store.start());
}

const container = document.getElementById('app');
if (container === null) throw new Error('index.html has no element with the id "app"');
start(container);
