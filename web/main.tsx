import { render } from 'preact';
import { createJobwireClient } from '../client/client.ts';
import { App } from './app.tsx';
import { keepDropsOnThePage } from './dropped-files.ts';
import { MissingApi } from './missing-api.tsx';
import { Router } from './router.ts';
import { Store } from './store.ts';
import './style.css';

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
  const store = new Store(createJobwireClient({ api }), new Router());
  store.start();
  keepDropsOnThePage();
  render(<App store={store} />, container);
}

const container = document.getElementById('app');
if (container === null) throw new Error('index.html has no element with the id "app"');
start(container);
