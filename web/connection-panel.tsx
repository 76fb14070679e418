import { useSignal } from '@preact/signals';
import { ConnectionLight } from './connection-light.tsx';
import { Figure } from './figure.tsx';
import { LatencyPlot } from './latency-plot.tsx';
import type { Store } from './store.ts';
import { quantile, type TrafficFigures } from './traffic.ts';
import { formatCount, formatDuration, formatLatency } from './units.ts';
import { explainConnection } from './wording.ts';

const PANEL = 'connection-panel';

/** The light, and behind it what there is to know of the connection. */
export function ConnectionPanel({ store }: { store: Store }) {
  const open = useSignal(false);
  return (
    <>
      <button
        type="button"
        class="light-button"
        popovertarget={PANEL}
        aria-expanded={open.value}
        aria-controls={PANEL}
        data-testid="connection-open"
      >
        <ConnectionLight store={store} />
      </button>
      <section
        class="popover"
        id={PANEL}
        popover="auto"
        aria-label="Connection"
        data-testid="connection-panel"
        onToggle={(event) => {
          open.value = event.newState === 'open';
        }}
      >
        {open.value ? <PanelContent store={store} /> : null}
      </section>
    </>
  );
}

/** Drawn only while it is looked at. */
function PanelContent({ store }: { store: Store }) {
  const figures = store.traffic.figures.value;
  const { latencies } = figures;
  return (
    <>
      <h2>Connection</h2>
      <p class="soft">{explainConnection(store.connection.value)}</p>
      <dl class="figures">
        <Figure name="Frames" value={formatCount(figures.frames)} testId="frames" />
        <Figure name="Reconnects" value={formatCount(figures.reconnects)} testId="reconnects" />
        <Figure name="Latency, median" value={latency(quantile(latencies, 0.5))} />
        <Figure name="95 % within" value={latency(quantile(latencies, 0.95))} />
      </dl>
      <LatencyPlot latencies={latencies} />
      <p class="fine">{clockNote(figures)}</p>
    </>
  );
}

function latency(milliseconds: number | undefined): string {
  return milliseconds === undefined ? '–' : formatLatency(milliseconds);
}

/** Says how far the figures can be trusted: they compare two clocks. */
function clockNote({ offset, checked }: TrafficFigures): string {
  const what = 'From the commit, by the server’s clock, to the arrival here, by this device’s.';
  if (offset === 0) {
    return checked
      ? `${what} The two agree.`
      : `${what} They have not been compared: the figures are as good as both.`;
  }
  const by = formatDuration(Math.abs(offset));
  return `${what} This device’s is at least ${by} ${offset > 0 ? 'ahead' : 'behind'}, which is taken out.`;
}
